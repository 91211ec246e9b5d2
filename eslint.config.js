import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', '**/node_modules/**', '**/cdk.out/**', '**/.cache/**', 'coverage/**', '**/*.mjs'] },
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' }],
      eqeqeq: 'error',
    },
  },
  {
    // lib/ speaks through an IoHost, never imports the sandbox, and never ends the process: only bin/ does.
    files: ['lib/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', { object: 'process', property: 'exit' }],
      'no-restricted-imports': ['error', { patterns: ['**/sandbox/**', '@halcyon-kit/sandbox'] }],
    },
  },
  {
    // The contract starts with the CLI: it stays free of the CDK.
    files: ['lib/contract/**/*.ts'],
    rules: { 'no-restricted-imports': ['error', { patterns: ['aws-cdk-lib*', 'constructs'] }] },
  },
);
