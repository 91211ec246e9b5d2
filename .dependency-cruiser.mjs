// Which folder may import which: `npm run lint` checks it, docs/architecture.md draws it.

/** The floors of lib/, from the ground up. A folder imports from floors below its own, never from its own floor or above. */
export const FLOORS = [
  ['error-codes', 'io', 'tarball', 'lease-owner'],
  ['errors'],
  ['contract', 'network'],
  ['config', 'aws'],
  ['heroku', 'storage', 'constructs'],
  ['stacks', 'buildpack', 'engine', 'smoke'],
  ['deploy', 'prebuild'],
  ['doctor', 'adopt'],
  ['cli'],
  ['commands'],
];

const of = (names) => `^lib/(${names.join('|')})(/|\\.ts$)`;
const error = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const CDK = '(^|node_modules/)(aws-cdk-lib|constructs|@aws-cdk)(/|$)';
const AWS_SDK = '(^|node_modules/)@(aws-sdk|smithy)/';

const floors = FLOORS.flatMap((floor, at) =>
  floor.map((name) =>
    error(
      `downward-${name}`,
      `lib/${name} imports only what is below it`,
      { path: of([name]) },
      { path: '^lib/', pathNot: of([...FLOORS.slice(0, at).flat(), name]) },
    ),
  ),
);

export default {
  forbidden: [
    ...floors,
    error('has-a-floor', 'every folder of lib/ stands on a floor', { path: '^lib/', pathNot: `${of(FLOORS.flat())}|^lib/index\\.ts$` }, {}),
    error('no-cycle', 'no two files import each other, not even types', {}, { circular: true }),
    error(
      'plans-are-pure',
      'a plan reaches no client, by no way',
      { path: '^(lib|accept)/.*\\.plan\\.ts$' },
      { path: '\\.client\\.ts$', reachable: true },
    ),
    error(
      'lib-stands-alone',
      'lib/ imports nothing of what is built on it',
      { path: '^lib/' },
      { path: '^(accept|page|sandbox|test|bin|script|examples)/' },
    ),
    error(
      'page-is-plain',
      'the page runs in a browser: of lib/ it knows types alone',
      { path: '^page/' },
      { path: '^(lib|accept|sandbox|test|bin|script|examples)/', dependencyTypesNot: ['type-only'] },
    ),
    error('accept-on-lib', 'accept/ is built on lib/ alone', { path: '^accept/' }, { path: '^(sandbox|test|bin|script|examples)/' }),
    error('tests-are-not-imported', 'what runs imports no test', { path: '^(bin|sandbox/(?!test/))' }, { path: '(^|/)test/' }),
    error('contract-is-plain', 'the contract starts with the CLI', { path: '^lib/contract/' }, { path: `${CDK}|${AWS_SDK}` }),
    error(
      'cdk-in-its-place',
      'the CDK takes seconds to load: only what makes or deploys stacks imports it',
      { path: '^(lib|accept)/', pathNot: '^lib/(constructs|stacks|deploy)/' },
      { path: CDK },
    ),
    error(
      'leads-somewhere',
      'every import leads somewhere',
      { path: '^(lib|accept|page|bin|sandbox|script|test)/' },
      { couldNotResolve: true },
    ),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.cache|cdk\\.out)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'] },
  },
};
