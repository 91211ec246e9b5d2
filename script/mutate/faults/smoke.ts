import { faultsOf } from '../fault.js';

/** What a smoke deploy proves, what it leaves, and what is said about secrets. */
export const SMOKE = [
  ...faultsOf('lib/smoke/requests.plan.ts', {
    'every-request-as-expected': [
      `|| outcome?.startsWith('400') === true : observed === expected`,
      `|| true : observed.length > 0`,
      'smoke',
    ],
    'refusals-not-tried': [`if (prefix) {`, `if (prefix === '/') {`, 'smoke'],
    'other-teams-not-tried': [
      `for (const other of scope.others) {\n    const theirs`,
      `for (const other of [] as string[]) {\n    const theirs`,
      'smoke',
    ],
  }),
  ...faultsOf('lib/smoke/script.ts', {
    'uploads-with-its-own-acl': [`aclOfApp ? '"$HALCYON_S3_ACL"' : quote(acl ?? '')`, `quote(acl ?? '')`, 'smoke'],
  }),
  ...faultsOf('lib/smoke/proofs.plan.ts', {
    'switch-not-looked-at': [`HALCYON_NO_UPLOAD: off(uploads)`, `HALCYON_NO_UPLOAD: null`, 'smoke'],
    'build-without-the-archive': ['`${expected.archive} done`', "found ? `${found.url} ${found.outcome}` : 'no download'", 'smoke'],
    'build-sees-what-it-should': [`return other.join(', ') || AS_EXPECTED`, `return other.length > 99 ? '' : AS_EXPECTED`, 'smoke'],
  }),
  ...faultsOf('lib/smoke/page.client.ts', {
    'any-page-will-do': [`text.includes(nonce) ?`, `text.length > 0 ?`, 'smoke'],
  }),
  ...faultsOf('lib/smoke/made.client.ts', {
    'objects-left-behind': [`() => objects.remove(prefix)`, `async () => prefix`, 'smoke'],
    'app-left-behind': [`() => heroku.deleteApp(name)`, `async () => name`, 'smoke'],
  }),
  ...faultsOf('lib/smoke/register.client.ts', {
    'killed-app-taken-for-a-running-one': [`ageMs <= owner.ttl && !isDead(owner, self)`, `ageMs <= owner.ttl`, 'killed'],
    'running-app-taken-for-a-killed-one': [
      `owner !== undefined && ageMs <= owner.ttl &&`,
      `owner !== undefined && owner.machine === self.machine &&`,
      'killed',
    ],
  }),
  ...faultsOf('lib/smoke/leftovers.client.ts', {
    'objects-of-killed-runs-left': [`!dead.has(run ?? '') && !isLeftover(`, `!isLeftover(`, 'killed'],
  }),
  ...faultsOf('lib/commands/sync.ts', {
    'idle-sync-sweeps-nothing': [`if (options.dryRun || stuck)`, `if (options.dryRun || stuck || !seen.changes)`, 'killed'],
    'dry-run-sweeps': [`if (options.dryRun || stuck)`, `if (stuck)`, 'killed'],
  }),
  ...faultsOf('lib/cli/run-teams.ts', {
    'rotation-sweeps-nothing': [`      await sweepApps(session, team);\n      const`, `      const`, 'killed'],
  }),
  ...faultsOf('lib/cli/proven.ts', {
    'proof-holds-for-ever': [`now.at - Date.parse(at) < HOLDS_MS`, `Date.parse(at) > 0`, 'proven'],
    'proof-of-another-user': [`user, config.buildpack`, `config.buildpack`, 'proven'],
    'proof-while-a-stack-changes': [`one?.exists && !one.status?.endsWith('_IN_PROGRESS')`, `one?.exists`, 'proven'],
    'proof-of-a-changed-stack': [`stacks.some((one) => names.includes(one.stack) && isStackChanged(one));`, `false;`, 'proven'],
    'failed-proof-holds': [`const holds = ok && now`, `const holds = now`, 'proven'],
    'older-proof-stands': [`{ ...modes[name], of: undefined }`, `modes[name]`, 'proven'],
    'proof-by-another-buildpack': [`!isOurs(url) || url === buildpackUrl`, `isOurs(url) || !isOurs(url)`, 'proven'],
  }),
  ...faultsOf('lib/io/redaction.ts', {
    'secret-forgotten': [`    value,\n    JSON`, `    JSON`, 'redaction'],
    'json-form-forgotten': [`    JSON.stringify(value).slice(1, -1),\n`, ``, 'redaction'],
    'basic-authentication-forgotten': ["Buffer.from(`:${value}`).toString('base64')", `value`, 'redaction'],
    'half-a-secret-left': [`done = Math.max(done, at + length)`, `done = at + SHORTEST`, 'redaction'],
    'escapes-printed': [`printable(redact(text));\n`, `redact(text);\n`, 'redaction'],
    'config-vars-not-registered': [`registerSecret(value);\n}\n\n/** \`text\``, `void value;\n}\n\n/** \`text\``, 'redaction'],
    'url-passwords-shown': [`?.split(':') ?? []) registerSecret(part)`, `?.split(':') ?? []) void part`, 'redaction'],
  }),
  ...faultsOf('lib/contract/secret.ts', {
    'read-secret-not-registered': [`  registerSecret(secretAccessKey);`, ``, 'redaction'],
  }),
  ...faultsOf('lib/engine/ports/heroku-apps.client.ts', {
    'apps-secret-not-registered': [`      registerSecret(all.HALCYON_AWS_SECRET_ACCESS_KEY);`, ``, 'redaction'],
  }),
];
