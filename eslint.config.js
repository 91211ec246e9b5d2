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
    // lib/ and accept/ speak through an IoHost and never end the process: only bin/ does. Who may import whom: .dependency-cruiser.mjs.
    files: ['{lib,accept}/**/*.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-properties': ['error', { object: 'process', property: 'exit' }],
    },
  },
  {
    files: ['test/**/*.test.ts'],
    ignores: ['**/*.mocked.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'vi', property: 'mock', message: 'Call it *.mocked.test.ts: others share its process.' },
      ],
    },
  },
  {
    // Half of it is better: a file that has grown this long is two.
    files: ['{lib,accept,bin,sandbox}/**/*.ts'],
    ignores: ['sandbox/test/**'],
    rules: { 'max-lines': ['error', 300] },
  },
);
