import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { addAccept } from '../../accept/program.js';
import { createProgram } from '../../lib/commands/program.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
let dir = '';
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'halcyon-cli-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The built CLI, as a user starts it, with nothing in its environment. */
function kit(
  args: string[],
  env: NodeJS.ProcessEnv = {},
  { stdin = '', entry = 'halcyon-kit.js' } = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [join(root, 'dist/bin', entry), ...args],
      { cwd: dir, env: { PATH: process.env.PATH, HOME: dir, AWS_EC2_METADATA_DISABLED: 'true', ...env } },
      (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end(stdin);
  });
}

const FILE = `
teams:
  payments:
    bucket: { account: '111122223333', region: eu-west-1 }
    apps:
      payments-api: { mode: read-only }
  search:
    bucket: { account: '111122223333', region: eu-west-1 }
    apps:
      search-web: { mode: upload }
signing: { version: 4, buildpack: 'https://example.com/sigv4.tgz' }
`;

describe('every command', () => {
  const run = async () => {};
  const program = addAccept(createProgram(run, '0.0.0'), run, '0.0.0');
  const all = program.commands.flatMap((command) => (command.commands.length > 0 ? command.commands : [command]));

  test.each(all.map((command) => [command.name(), command] as const))('%s has --json and examples', (_name, command) => {
    let help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    expect(help).toContain('Examples:');
    expect(help).toContain('Exit codes:');
    // A line that a shell takes as it stands.
    expect(
      help.match(/^  \$ .*/gm)?.filter((line) => !/^  \$ (halcyon-kit [a-z]|eval "\$\(halcyon-kit )/.test(line) || /kit eval/.test(line)),
    ).toEqual([]);
    expect(help).toContain('--json');
  });

  test('and those that change anything have --dry-run', () => {
    const changing = all.filter(
      (command) =>
        !['validate', 'explain', 'policy', 'creds', 'plan', 'status', 'log', 'doctor', 'version', 'sandbox'].includes(command.name()),
    );
    expect(changing.map((command) => command.name())).toEqual([
      ...['init', 'adopt', 'up', 'sync', 'smoke', 'prebuild', 'packages', 'rotate', 'down', 'pack', 'accept'],
    ]);
    for (const command of changing) expect(command.options.map((option) => option.long)).toContain('--dry-run');
  });
});

describe('mistakes get one clear sentence', () => {
  test('no file', async () => {
    const { code, stderr } = await kit(['validate']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: .*halcyon\.yaml.*halcyon-kit init/s);
  });

  test.each([
    ['an unknown size', ['search-web', '--source', '.', '--size', 'PX'], /no size "PX" .*performance-l/],
    ['more than a day', ['search-web', '--source', '.', '--timeout', '25h'], /--timeout takes from 1m to 24h/],
    ['an app of no team', ['nobody', '--source', '.'], /app nobody is in no team/],
  ] as const)('prebuild with %s', async (_, args, said) => {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE);
    const { code, stderr } = await kit(['prebuild', ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(said);
  });

  test('packages that expire by age: the file is valid, and that is said', async () => {
    writeFileSync(
      join(dir, 'halcyon.yaml'),
      FILE.replace('region: eu-west-1 }', 'region: eu-west-1, retention: { expireAfterDays: 30 } }'),
    );
    const { code, stderr } = await kit(['validate']);
    expect(code).toBe(0);
    expect(stderr).toMatch(/packages in halcyon-payments-\S+, and the kit's records .* expire 30 days after .*packages --prune/);
    expect(stderr).not.toContain('halcyon-search');
  });

  test.each([[[]], [['help']], [['--verbose']]])('an unknown command after %j is answered with the right one', async (before) => {
    const { code, stderr } = await kit([...before, 'statsu']);
    expect(code).toBe(1);
    expect(stderr).toBe("error: unknown command 'statsu'\n(Did you mean status?)\n(add --help for usage)\n");
  });

  test.each([[[]], [['help']], [['help', '--json']]])('and in JSON where that is asked for: %j', async (before) => {
    const { code, stdout } = await kit([...before, 'vlidate', '--json']);
    expect(code).toBe(1);
    const message = "unknown command 'vlidate'\n(Did you mean validate?)";
    expect(JSON.parse(stdout)).toEqual({ error: { code: 'command-line-invalid', message } });
  });

  test.each([[['help']], [['help', 'help']], [['help', 'status']], [['help', 'completion']], [['status', '--help']]])(
    '%j is help',
    async (args) => {
      const { code, stdout } = await kit(args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/^Usage: halcyon-kit /);
    },
  );

  test.each([
    [['rotate', '--max-age', '30d'], 'needs --due'],
    [['rotate', '--waves', '100%,1'], 'after 100% no app is left'],
    [['sync', 'paymnts'], '; did you mean "payments"'],
    [['up', '--concurrency', '0'], 'It takes a number from 1 to 20'],
    [['status', '--concurrency', 'many'], 'It takes a number from 1 to 20'],
    [['buildpack', 'pack', '-o', 'nowhere/it.tgz'], 'cannot write nowhere/it.tgz'],
    [['status', '--all', '--profile', 'nosuch'], 'AWS profile nosuch gives no credentials'],
  ])('%j', async (args, said) => {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE);
    const key = { AWS_ACCESS_KEY_ID: 'AKIAANY', AWS_SECRET_ACCESS_KEY: 'any' };
    const { code, stderr } = await kit(args, { HEROKU_API_KEY: 'any', ...key });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^error: /m);
    expect(stderr).not.toContain('WARNING');
    expect(stderr.match(new RegExp(said, 'g'))).toHaveLength(1);
  });

  test('the CDK app is silent, whatever the SDK thinks of this version of Node', async () => {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE);
    const aws = { AWS_ACCESS_KEY_ID: 'AKIAANY', AWS_SECRET_ACCESS_KEY: 'any', AWS_ENDPOINT_URL: 'http://127.0.0.1:1' };
    const env = { ...aws, CDK_DEFAULT_ACCOUNT: '111122223333', CDK_OUTDIR: join(dir, 'out') };
    expect(await kit([], env, { entry: 'halcyon.js' })).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('teams are completed, also of a file that is named', async () => {
    writeFileSync(join(dir, 'halcyon.yml'), FILE);
    expect((await kit(['complete', '--', 'rotate', 'pay'])).stdout).toMatch(/^payments\b/);
    writeFileSync(join(dir, 'other.yml'), FILE.replace('payments:', 'payroll:'));
    for (const named of [['--config', 'other.yml'], ['--config=other.yml']])
      expect((await kit(['complete', '--', 'rotate', ...named, 'pay'])).stdout).toMatch(/^payroll\b/);
    // As a bash does that has nothing but itself.
    writeFileSync(join(dir, 'completion.sh'), (await kit(['completion', 'bash'])).stdout);
    const tab = `compopt() { :; }; halcyon-kit() { '${process.execPath}' '${join(root, 'dist/bin/halcyon-kit.js')}' "$@"; }; . ./completion.sh
      COMP_WORDS=(halcyon-kit rotate pay) COMP_CWORD=2; __halcyon_kit_complete; echo "\${COMPREPLY[*]}"`;
    const ran = spawnSync('bash', ['--norc', '-c', tab], { cwd: dir, env: { PATH: process.env.PATH, HOME: dir }, encoding: 'utf8' });
    expect([ran.stderr, ran.stdout]).toEqual(['', 'payments\n']);
    writeFileSync(join(dir, 'other.yml'), FILE.replace('    apps:', '    pipelines: { shop: { review: { mode: read-only } } }\n    apps:'));
    expect((await kit(['complete', '--', 'explain', '-c', 'other.yml', 'pip'])).stdout).toMatch(/^pipeline:shop:review\b/);
  });

  test('a typo in the file: place, path, and what would be right', async () => {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE.replace('read-only', 'readonly'));
    const { code, stderr } = await kit(['validate']);
    expect(code).toBe(1);
    expect(stderr).toMatch(/halcyon\.yaml:6:\d+ +teams\.payments\.apps\.payments-api\.mode: .*did you mean "read-only"/);
    const json = await kit(['validate', '--json']);
    expect(json.code).toBe(1);
    expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'config-invalid', details: { problems: [{ line: 6 }] } } });
  });

  test.each([
    [['validate'], FILE.replace('read-only', 'readonly'), '1 problem in <stdin>\n<stdin>:6:29  teams.payments.'],
    [['validate'], '', '1 problem in <stdin>\n<stdin>:1:1  the file is empty'],
    [['explain', 'nobody', '--offline'], FILE, 'no team of <stdin> has an app "nobody"'],
    [['prebuild', 'nobody', '--source', '.'], FILE, 'app nobody is in no team of <stdin>'],
    [['status', 'paymnets'], FILE, 'team "paymnets" is not in the configuration'],
  ])('%j of a file that stdin had names no other', async (args, text, said) => {
    const { code, stderr } = await kit([...args, '-c', '-'], {}, { stdin: text });
    expect(code).toBe(1);
    expect(stderr).toContain(`error: ${said}`);
    expect(stderr).not.toMatch(/halcyon\.ya?ml|"-"| - /);
  });

  test('init prints what it cannot write', async () => {
    const { code, stdout } = await kit(['init', '-c', '-', '--account', '111122223333'], {});
    expect(code).toBe(0);
    expect((await kit(['validate', '-c', '-'], {}, { stdin: stdout })).stdout).toContain('<stdin> is valid: 1 team');
    expect(readdirSync(dir)).toEqual([]);
  });

  test('no team named where there are two; an unknown team', async () => {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE);
    expect((await kit(['up'])).stderr).toContain('error: say which team, or --all; there are: payments, search');
    expect((await kit(['up', 'paymnets'])).stderr).toContain('error: team "paymnets" is not in');
  });

  test('no credentials: for AWS and for Heroku, before anything is done', async () => {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE);
    const none = await kit(['up', 'payments', '--yes']);
    expect(none.code).toBe(1);
    expect(none.stderr).toMatch(/error: (cannot ask AWS who you are .*no usable AWS credentials|no Heroku)/);
    const aws = {
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'canary-secret-key-0123456789',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      HEROKU_API_KEY: 'canary-token-0123456789',
    };
    const unreachable = await kit(['up', 'payments', '--yes', '--verbose'], { ...aws, HEROKU_HOST: 'http://127.0.0.1:9' });
    expect(unreachable.code).toBe(1);
    expect(unreachable.stderr + unreachable.stdout).not.toContain('canary-');
  });

  test('init writes a file that validates, and never over another', async () => {
    const made = await kit([
      'init',
      '--team',
      'payments',
      '--app',
      'payments-api=read-only',
      '--account',
      '111122223333',
      '--region',
      'eu-west-1',
    ]);
    expect(made.stderr).toBe('');
    expect(made.code).toBe(0);
    expect(readFileSync(join(dir, 'halcyon.yaml'), 'utf8')).toContain('payments-api');
    expect((await kit(['validate'])).code).toBe(0);
    const again = await kit(['init', '--account', '111122223333', '--region', 'eu-west-1']);
    expect(again.code).toBe(1);
    expect(again.stderr).toContain('exists already');
  });
});

describe('what goes wrong with the output', () => {
  /** By the shell, which can close a pipe or name a full disk. */
  const shell = (line: string): Promise<{ code: number; stdout: string; stderr: string }> =>
    new Promise((done) => {
      const kit = `'${process.execPath}' '${join(root, 'dist/bin/halcyon-kit.js')}'`;
      execFile(
        'bash',
        ['-c', line.replaceAll('KIT', kit)],
        { cwd: dir, env: { PATH: process.env.PATH, HOME: dir } },
        (error, stdout, stderr) => done({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  beforeEach(() => writeFileSync(join(dir, 'halcyon.yaml'), FILE));

  test('a reader that has gone is no failure, and no stack trace', async () => {
    expect(await shell('set -o pipefail; KIT validate | (exec <&-; sleep 2)')).toMatchObject({ code: 0, stderr: '' });
    expect((await shell('KIT validate 2>&1 >/dev/null | true; exit ${PIPESTATUS[0]}')).code).toBe(0);
  });

  test('a full disk: the result is lost, which is said where it can be', async () => {
    const { code, stderr } = await shell('KIT validate > /dev/full');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/^error: the result could not be written: ENOSPC[^\n]*\n$/)]);
    expect(await shell('KIT validate -c none.yaml 2> /dev/full')).toMatchObject({ code: 1, stdout: '' });
  });

  test('escapes in arguments and files are not sent to the terminal', async () => {
    const { stderr } = await kit(['\u001b[2Jstatus\u0007']);
    expect(stderr).toContain('\\u001b[2Jstatus\\u0007');
    expect(stderr).not.toContain('\u001b');
    writeFileSync(join(dir, 'halcyon.yaml'), FILE.replace('payments-api', '"x\\e[2J\\x9b"'));
    const printed = await kit(['validate']);
    expect(printed.code).toBe(1);
    expect(printed.stderr + printed.stdout).not.toMatch(/[\u001b\u009b]/);
  });
});
