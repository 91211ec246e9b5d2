// The kit itself: start-up, synth, deployment and the sandbox, each beside the plainest thing that does the same.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startSandbox } from '../../sandbox/index.js';
import { median, run, sideBySide, type Figure, type Run } from './measure.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const node = process.execPath;

const FILE = `
teams:
  bench:
    bucket: { account: '111122223333', region: us-east-1 }
    apps:
      bench-one: { mode: upload }
      bench-two: { mode: read-only }
      bench-lab: { mode: public }
signing: { version: 4, buildpack: 'https://example.com/sigv4.tgz' }
`;

const BARE = `
const { App, Stack, LegacyStackSynthesizer } = require(${JSON.stringify(join(root, 'node_modules/aws-cdk-lib'))});
const { Bucket } = require(${JSON.stringify(join(root, 'node_modules/aws-cdk-lib/aws-s3'))});
const app = new App({ outdir: process.argv[2] });
new Bucket(new Stack(app, 'bare', { synthesizer: new LegacyStackSynthesizer() }), 'Bucket');
app.synth();
`;

export async function figures(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-bench-'));
  try {
    writeFileSync(join(dir, 'halcyon.yaml'), FILE);
    writeFileSync(join(dir, 'bare.cjs'), BARE);
    writeFileSync(join(dir, 'empty.mjs'), '');
    const { build: _, ...cdkJson } = JSON.parse(readFileSync(join(root, 'cdk.json'), 'utf8')) as Record<string, unknown>;
    writeFileSync(join(dir, 'cdk.json'), JSON.stringify(cdkJson));
    return [...(await startUp(dir)), ...(await synth(dir)), ...(await sandbox(dir))];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function startUp(dir: string): Promise<Figure[]> {
  const { a, ratio } = await sideBySide(
    9,
    () => run(node, [join(root, 'dist/bin/halcyon-kit.js'), '--help'], { cwd: dir }),
    () => run(node, [join(dir, 'empty.mjs')], { cwd: dir }),
  );
  return [{ name: '--help against bare node', value: ratio, unit: '×', aim: '≤ 3', note: `${median(a.map((r) => r.ms)).toFixed(0)} ms` }];
}

/** aws-cdk-lib checks templates against CloudFormation's schemas at every synth; the kit leaves that to its tests, so both baselines are shown. */
async function synth(dir: string): Promise<Figure[]> {
  const team = () =>
    run(node, [join(root, 'dist/bin/halcyon.js')], { cwd: dir, env: { ...process.env, CDK_OUTDIR: join(dir, 'team.out') } });
  const bare = (env: NodeJS.ProcessEnv) => () =>
    run(node, [join(dir, 'bare.cjs'), join(dir, 'bare.out')], { cwd: dir, env: { ...process.env, ...env } });
  const whole = await sideBySide(5, team, bare({}));
  const lean = await sideBySide(5, team, bare({ CDK_VALIDATION: 'false' }));
  const ms = (runs: readonly Run[]) => median(runs.map((r) => r.ms)).toFixed(0);
  return [
    {
      name: 'synth of one team against a bare one-bucket app',
      value: whole.ratio,
      unit: '×',
      aim: '≤ 1.2',
      note: `${ms(whole.a)} ms against ${ms(whole.b)} ms`,
    },
    {
      name: '… against one that does not validate either',
      value: lean.ratio,
      unit: '×',
      note: `${ms(lean.a)} ms against ${ms(lean.b)} ms`,
    },
    { name: 'peak memory of that synth', value: Math.max(...whole.a.map((r) => r.peakMiB)), unit: 'MiB' },
  ];
}

async function sandbox(dir: string): Promise<Figure[]> {
  const ready: number[] = [];
  for (let i = 0; i < 3; i++) {
    const began = Date.now();
    const one = await startSandbox();
    ready.push((Date.now() - began) / 1000);
    if (i < 2) await one.stop();
    else {
      try {
        return [{ name: 'sandbox ready, warm', value: median(ready), unit: 's', aim: '< 3' }, ...(await deployment(dir, one))];
      } finally {
        await one.stop();
      }
    }
  }
  return [];
}

/** `up` without smoke against the plain `cdk deploy` of the same stack, each on a fresh account: the destroys between are not counted. */
async function deployment(dir: string, sandbox: Awaited<ReturnType<typeof startSandbox>>): Promise<Figure[]> {
  for (const app of ['bench-one', 'bench-two', 'bench-lab'])
    await sandbox.heroku.ensureApp(app, { buildpacks: ['https://github.com/mietek/haskell-on-heroku'] });
  const env = { ...process.env, ...sandbox.env };
  const kit = (...args: string[]) => run(node, [join(root, 'dist/bin/halcyon-kit.js'), ...args], { cwd: dir, env });
  const cdk = (...args: string[]) =>
    run(
      node,
      [
        join(root, 'node_modules/aws-cdk/bin/cdk'),
        ...args,
        '--app',
        `${node} ${join(root, 'dist/bin/halcyon.js')}`,
        '--output',
        join(dir, 'cdk.out'),
      ],
      { cwd: dir, env },
    );
  const ups: Run[] = [];
  const plains: Run[] = [];
  for (let i = 0; i < 3; i++) {
    plains.push(await cdk('deploy', 'halcyon-bench', '--require-approval', 'never', '--progress', 'events'));
    await kit('down', 'bench', '--delete-bucket', '--yes');
    ups.push(await kit('up', 'bench', '--yes', '--no-smoke'));
    await kit('down', 'bench', '--delete-bucket', '--yes');
  }
  const ratio = median(ups.map((up, i) => up.ms / (plains[i]?.ms ?? NaN)));
  return [
    {
      name: 'up without smoke (3 apps) against plain cdk deploy',
      value: ratio,
      unit: '×',
      note: `${(median(ups.map((r) => r.ms)) / 1000).toFixed(1)} s against ${(median(plains.map((r) => r.ms)) / 1000).toFixed(1)} s`,
    },
    { name: 'peak memory of that up', value: Math.max(...ups.map((r) => r.peakMiB)), unit: 'MiB' },
  ];
}
