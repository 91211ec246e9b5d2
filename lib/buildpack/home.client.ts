import { buffer } from 'node:stream/consumers';
import type { Aws } from '../aws/aws.js';
import { listBuckets } from '../aws/bucket.js';
import { awsError } from '../aws/errors.js';
import { buildpackEnvironments } from '../config/environments.js';
import { domainOf } from '../config/regions.js';
import type { KitConfig, Team } from '../config/model.js';
import { buildpackBucketName } from '../contract/index.js';
import { KitError } from '../errors.js';
import { open } from '../network/network.js';
import { readError } from '../storage/halcyon-requests.js';
import { signV4 } from '../storage/signing.js';
import { blockedMessage, OTHER_WAY, PUBLIC_ACCESS_SETTINGS, type PublicAccessSetting } from './public-access.js';

/**
 * The configuration with where the hosted buildpack is served from already: apps name that URL, so it stays when the file's buckets move.
 * Without `s3:ListAllMyBuckets` nothing is known of it.
 */
export async function withBuildpackHomes(config: KitConfig, teams: readonly Team[], aws: (region: string) => Aws): Promise<KitConfig> {
  const [environment] = buildpackEnvironments(config, teams);
  if (environment === undefined) return config;
  const { account, region } = environment;
  const prefix = buildpackBucketName(account, '');
  const found = await listBuckets(aws(region), prefix);
  if (found === undefined) return config;
  const homes = found.map(({ name }) => name.slice(prefix.length));
  return { ...config, buildpackHomes: { ...config.buildpackHomes, [account]: homes } };
}

/**
 * Settings of Block Public Access that the whole account has on and that keep the buildpack from Heroku: they count beside each bucket's
 * own. The SDK's client of S3 Control would be a dependency for this one request.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_control_GetPublicAccessBlock.html
 */
export async function accountBlocks(aws: Aws, account: string, signal?: AbortSignal): Promise<PublicAccessSetting[]> {
  const { network, region } = aws;
  const origin = network.s3Url ?? `https://${account}.s3-control.${region}.${domainOf(region)}`;
  const url = new URL('/v20180820/configuration/publicAccessBlock', origin);
  const doing = `ask whether account ${account} blocks public access (s3:GetAccountPublicAccessBlock)`;
  try {
    const key = await (await aws.s3()).config.credentials();
    const unsigned = { method: 'GET', host: url.host, path: url.pathname, query: {}, headers: { 'x-amz-account-id': account } } as const;
    const headers = await signV4(unsigned, key, region, new Date());
    const answer = await open(url, { agents: await network.agents('aws'), method: 'GET', headers, signal, timeoutMs: 30_000 });
    const body = await buffer(answer);
    if (answer.statusCode === 404) return [];
    const { code: name = 'Error', message = `HTTP ${answer.statusCode}` } = readError(body, answer.headers);
    if (answer.statusCode !== 200) throw Object.assign(new Error(message), { name });
    return PUBLIC_ACCESS_SETTINGS.filter((setting) => body.includes(`<${setting}>true</${setting}>`));
  } catch (error) {
    signal?.throwIfAborted();
    throw awsError(error, doing);
  }
}

/**
 * Before anything is made: whether Heroku could fetch a hosted buildpack. What serves it already may go on under BlockPublicPolicy.
 * @throws KitError `public-access-blocked`, naming the other way.
 */
export async function requirePublicBuildpack(config: KitConfig, teams: readonly Team[], aws: (region: string) => Aws): Promise<void> {
  const [environment] = buildpackEnvironments(config, teams);
  if (environment === undefined) return;
  const { account, region } = environment;
  const blocks = await accountBlocks(aws(region), account).catch((error: unknown) => {
    if ((error as KitError).code === 'aws-denied') return [];
    throw error;
  });
  const served = config.buildpackHomes?.[account]?.includes(region) === true;
  const [wrong] = blocks.filter((name) => name === 'RestrictPublicBuckets' || !served);
  if (wrong === undefined) return;
  throw new KitError('public-access-blocked', `${blockedMessage(account, blocks)}; ${OTHER_WAY}`);
}
