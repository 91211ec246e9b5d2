// Synth of fleets beside a bare CDK app of as many stacks with the same kinds of resources, and how both grow.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fleetFile } from './fleet.js';
import { median, run as runProgram, sideBySide, type Figure } from './measure.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const SIZES = [1, 10, 100, 500];

const BARE = `
const { App, LegacyStackSynthesizer, Stack } = require(${JSON.stringify(join(root, 'node_modules/aws-cdk-lib'))});
const { Bucket } = require(${JSON.stringify(join(root, 'node_modules/aws-cdk-lib/aws-s3'))});
const { User, PolicyDocument, PolicyStatement } = require(${JSON.stringify(join(root, 'node_modules/aws-cdk-lib/aws-iam'))});
const { Secret } = require(${JSON.stringify(join(root, 'node_modules/aws-cdk-lib/aws-secretsmanager'))});
const app = new App({
  outdir: process.argv[2],
  analyticsReporting: false,
  treeMetadata: false,
  context: { 'aws:cdk:disable-creation-stack-traces': true },
  defaultStackSynthesizer: new LegacyStackSynthesizer(),
});
for (let n = 0; n < Number(process.argv[3]); n++) {
  const stack = new Stack(app, 'bare-' + n);
  const bucket = new Bucket(stack, 'Bucket', { enforceSSL: true });
  for (const name of ['One', 'Two']) {
    bucket.grantReadWrite(new User(stack, 'User' + name));
    new Secret(stack, 'Secret' + name);
  }
}
app.synth();
`;

export async function run(): Promise<Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'halcyon-synth-'));
  const env = { ...process.env, CDK_VALIDATION: 'false' };
  try {
    writeFileSync(join(dir, 'bare.cjs'), BARE);
    const figures: Figure[] = [];
    const each: number[] = [];
    for (const teams of SIZES) {
      const [kitOut, bareOut] = [join(dir, `kit-${teams}`), join(dir, `bare-${teams}`)];
      writeFileSync(join(dir, 'halcyon.yaml'), fleetFile(teams * 20));
      const kit = () =>
        runProgram(process.execPath, [join(root, 'dist/bin/halcyon.js')], { cwd: dir, env: { ...env, CDK_OUTDIR: kitOut } });
      const bare = () => runProgram(process.execPath, [join(dir, 'bare.cjs'), bareOut, String(teams)], { cwd: dir, env });
      const { a, b, ratio } = await sideBySide(teams > 100 ? 1 : 3, kit, bare);
      const [ours, theirs] = [median(a.map(({ ms }) => ms)), median(b.map(({ ms }) => ms))];
      const resources = [kitOut, bareOut].map(resourcesIn);
      each.push(ours);
      figures.push({
        name: `synth of ${teams} teams against a bare app`,
        value: ratio,
        unit: '×',
        ...(teams === 100
          ? { aim: '≤ 1.5', why: 'the bare app reads no file: its YAML, and the library that checks it, are a sixth of our time' }
          : {}),
        note: `${ours.toFixed(0)} ms of ${resources[0]} resources against ${theirs.toFixed(0)} of ${resources[1]}, peak ${Math.max(...a.map(({ peakMiB }) => peakMiB)).toFixed(0)} MiB`,
      });
    }
    const [one = NaN, , hundred = NaN, most = NaN] = each;
    // What a team adds, from the first hundred to the next four: linear is 1.
    const growth = (most - hundred) / 400 / ((hundred - one) / 99);
    return [...figures, { name: 'what a team adds beyond 100 against before', value: growth, unit: '×', aim: '≤ 1.2' }];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const resourcesIn = (outdir: string): number =>
  readdirSync(outdir)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => Object.keys((JSON.parse(readFileSync(join(outdir, file), 'utf8')) as { Resources?: object }).Resources ?? {}).length)
    .reduce((sum, count) => sum + count, 0);
