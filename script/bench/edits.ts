// Edits of the file with builds running all the time, the kit's way and by a plain `cdk deploy` with the config vars written after it, in one run.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CreateAccessKeyCommand } from '@aws-sdk/client-iam';
import { GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { principalOf, storageOf } from '../../lib/config/derive.js';
import type { Principal } from '../../lib/config/model.js';
import { desiredConfigVars, parseSecretValue, secretName, userName, type KeyPair } from '../../lib/contract/index.js';
import { carryOut, kitUp, startGround, type Carried, type Way } from '../../test/edits/support/carry-out.js';
import { BUILDPACK, EDITS } from '../../test/edits/support/edit.js';
import type { Wire } from '../../test/engine/support/wire.js';
import { run as runProgram, type Figure } from './measure.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const NAMES = ['bucket name changed', 'prefix changed', 'ACL private → bucket-owner-full-control', 'mode upload → public', 'signing 2 → 4'];

/** What an operator would do who has the templates alone: deploy, make keys for users that have none, write config vars. */
const plainWay =
  (wire: Wire, region: string): Way =>
  async (path, config) => {
    const app = `${process.execPath} ${join(root, 'dist/bin/halcyon.js')}`;
    const cdk = [join(root, 'node_modules/aws-cdk/bin/cdk'), 'deploy', '--all', '--require-approval', 'never', '--app', app];
    const env = { ...process.env, ...wire.sandbox.env, HALCYON_CONFIG: path };
    await runProgram(process.execPath, [...cdk, '--output', join(dirname(path), 'cdk.out')], { cwd: dirname(path), env });
    const aws = wire.aws.in(region);
    const made = new Map<string, Promise<KeyPair>>();
    const keyOf = async (principal: Principal): Promise<KeyPair> => {
      const SecretId = secretName(principal);
      const stored = await (await aws.secrets()).send(new GetSecretValueCommand({ SecretId })).catch(() => undefined);
      if (stored?.SecretString !== undefined) return parseSecretValue(stored.SecretString, SecretId);
      const { AccessKey: key } = await (await aws.iam()).send(new CreateAccessKeyCommand({ UserName: userName(principal) }));
      return { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' };
    };
    for (const team of config.teams) {
      for (const one of team.apps) {
        const principal = principalOf(team, one);
        const user = principal === undefined ? undefined : userName(principal);
        if (principal !== undefined && user !== undefined && !made.has(user)) made.set(user, keyOf(principal));
        const vars = desiredConfigVars(storageOf({ ...config, s3Url: wire.aws.network.s3Url }, team, one), await made.get(user ?? ''));
        const signs = config.signing.version === 4 && principal !== undefined;
        const others = (await wire.heroku.buildpacks(one.name)).filter((url) => url !== BUILDPACK);
        await wire.heroku.setBuildpacks(one.name, [...(signs ? [BUILDPACK] : []), ...others]);
        await wire.heroku.patchConfigVars(one.name, vars);
      }
    }
  };

export async function run(): Promise<Figure[]> {
  const wire = await startGround();
  try {
    const figures: Figure[] = [];
    for (const [n, edit] of EDITS.filter(({ name }) => NAMES.includes(name)).entries()) {
      const kit = await carryOut(wire, edit, `kit${n}`, kitUp);
      const plain = await carryOut(wire, edit, `plain${n}`, plainWay(wire, 'eu-west-1'));
      figures.push(figure(`${edit.name}: refused or not found`, kit, '0'), figure('… by cdk deploy and config vars', plain));
    }
    return figures;
  } finally {
    await wire.stop();
  }
}

const figure = (name: string, { refused, missing, requests, builds, seconds, wrong }: Carried, aim?: string): Figure => ({
  name,
  value: refused.length + missing.length,
  unit: 'requests',
  ...(aim === undefined ? {} : { aim }),
  note: `${refused.length} refused, ${missing.length} not found, of ${requests} in ${builds} builds, ${seconds.toFixed(0)} s${wrong.length > 0 ? `; ${wrong[0]?.slice(0, 200)}` : ''}`,
});
