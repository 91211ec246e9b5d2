import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { ownerOfKey } from '../aws/identity.js';
import { ownedBy, whereabouts, type Whereabouts } from '../aws/bucket.js';
import { failure, isDenied, isMissing } from '../aws/errors.js';
import { CONFIG_VAR_NAMES, oursOf } from '../contract/index.js';
import { isKitError } from '../errors.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import { contestedAmong, worthALook } from './contested.plan.js';
import { OTHERS, type LeftOut, type SeenApp, type SeenBucket } from './model.js';

/** Looks at what is there. Nothing here changes anything. */

/** Of these apps, those that Halcyon's config vars are set on: one request an app, and three more for those. */
export async function lookAtApps(
  heroku: Heroku,
  apps: readonly HerokuApp[],
  { signal, onProgress }: { signal?: AbortSignal; onProgress?: (done: number) => void } = {},
): Promise<{ readonly seen: readonly SeenApp[]; readonly unread: readonly LeftOut[] }> {
  const unread: LeftOut[] = [];
  let done = 0;
  const look = async (app: HerokuApp): Promise<SeenApp[]> => {
    const unless = (error: unknown) => {
      if (!isKitError(error, 'heroku-forbidden', 'app-not-found')) throw error;
      unread.push({ app: app.name, why: error.message });
      return [];
    };
    const seen = await lookAt(heroku, app).catch(unless);
    onProgress?.((done += 1));
    return seen;
  };
  return { seen: (await pMap(apps, look, { concurrency: 10, signal })).flat(), unread };
}

async function lookAt(heroku: Heroku, { name, team, generation, stack }: HerokuApp): Promise<SeenApp[]> {
  const all = await heroku.configVars(name);
  if (![...CONFIG_VAR_NAMES, ...OTHERS].some((one) => Object.hasOwn(all, one))) return [];
  const [buildpacks, releases] = await Promise.all([
    heroku.buildpacks(name).catch((error: unknown) => {
      if (!isKitError(error, 'heroku-invalid')) throw error;
      return undefined;
    }),
    heroku.releases(name, { max: 100 }),
  ]);
  const history = await pMap(
    worthALook(releases).reverse(),
    async ({ version }) => ({ version, vars: oursOf(await heroku.releaseConfigVars(name, version)) }),
    { concurrency: 3 },
  ).catch((error: unknown) => {
    // Of a release that has expired: what cannot be looked at is no sign of a second writer.
    if (!isKitError(error, 'heroku-not-found', 'heroku-invalid', 'heroku-refused')) throw error;
    return [];
  });
  const { HALCYON_AWS_SECRET_ACCESS_KEY: secret, ...vars } = oursOf(all);
  return [
    {
      ...{ name, generation, stack, vars, hasSecret: secret !== undefined && secret !== '', contested: contestedAmong(history) },
      ...(team === undefined ? {} : { team }),
      others: Object.fromEntries(OTHERS.flatMap((one) => (Object.hasOwn(all, one) ? [[one, all[one]]] : []))),
      ...(buildpacks === undefined ? {} : { buildpacks }),
    },
  ];
}

/** The IAM users behind these keys, as far as they are of this account. */
export async function usersBehind(aws: Aws, keyIds: readonly string[]): Promise<Map<string, string>> {
  const find = async (keyId: string) => {
    const user = await ownerOfKey(aws, keyId);
    return user === undefined ? [] : [[keyId, user] as const];
  };
  return new Map((await pMap(keyIds, find, { concurrency: 5 })).flat());
}

/** @param guess - region that config vars point at. */
export async function lookAtBucket(aws: Aws, bucket: { name: string; account: string }, guess: string | undefined): Promise<SeenBucket> {
  const first = guess === undefined ? aws : aws.in(guess);
  const where = async (from: Aws): Promise<Whereabouts> =>
    whereabouts(from, bucket).catch((error: unknown) => {
      throw failure(error, `look for bucket ${bucket.name} (s3:ListBucket)`);
    });
  let found = await where(first);
  let here = first;
  if (found.state === 'elsewhere' && found.region !== undefined) {
    here = aws.in(found.region);
    found = { ...(await where(here)), region: found.region };
  }
  if (found.state === 'gone') return { state: 'gone' };
  if (found.state !== 'present') return { state: 'not-shown', ...(found.region === undefined ? {} : { region: found.region }) };
  const sdk = await import('@aws-sdk/client-s3');
  const s3 = await here.s3();
  const unless = (error: unknown) => {
    if (isDenied(error) || isMissing(error, 'bucket ownership') || isMissing(error, 'bucket encryption')) return undefined;
    throw failure(error, `read the settings of bucket ${bucket.name}`);
  };
  const [controls, encryption] = await Promise.all([
    s3.send(new sdk.GetBucketOwnershipControlsCommand(ownedBy(bucket))).catch(unless),
    s3.send(new sdk.GetBucketEncryptionCommand(ownedBy(bucket))).catch(unless),
  ]);
  const ownership = controls?.OwnershipControls?.Rules?.[0]?.ObjectOwnership;
  const rule = encryption?.ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault;
  return {
    ...{ state: 'present', region: here.region },
    ...(ownership === undefined ? {} : { ownership }),
    ...(rule?.SSEAlgorithm === 'aws:kms' && rule.KMSMasterKeyID !== undefined ? { kmsKeyArn: rule.KMSMasterKeyID } : {}),
  };
}
