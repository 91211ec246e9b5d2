import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { bucketTags, listBuckets } from '../aws/bucket.js';
import { principalsOf, specsOf } from '../config/derive.js';
import { KNOWN_REGIONS, partitionOf } from '../config/regions.js';
import type { KitConfig, Team } from '../config/model.js';
import { defaultBucketName, deploymentOf, isOf, KIT_OWNERS, OUTPUTS, parseUserName, TAGS } from '../contract/index.js';
import { userTags } from '../engine/ports/iam.client.js';
import { reachIn } from '../engine/run/observe.client.js';
import { isKitError } from '../errors.js';
import { stacksIn, teamsIn, type Left, type LeftBucket, type LeftStack, type LeftTeam } from './left.plan.js';
import { stackNames, stackState } from './stack.client.js';

export interface Looking {
  readonly config: KitConfig;
  readonly aws: (region: string) => Aws;
  readonly account: string;
  /** Where to ask for what is in no region. */
  readonly region: string;
}

/**
 * What an earlier file made in the account and `config` no longer names. Who may not list buckets, or their tags, is told of none.
 * @param users - all users of the kit in the account.
 * @param everywhere - stacks in every region of the partition. Default: where a bucket or a team is left.
 */
export async function findLeft(
  looking: Looking,
  users: ReadonlyArray<{ readonly name: string; readonly path: string }>,
  everywhere: boolean,
): Promise<Left> {
  const teams = await leftTeams(looking, users);
  const reaches = teams.map(({ reach }) => reach);
  const buckets = await leftBuckets(looking, reaches);
  // Where a bucket is left its stack may be, too.
  const regions = [...reaches, ...buckets].flatMap((one) => one?.region ?? []);
  const stacks = await leftStacks(looking, everywhere ? KNOWN_REGIONS : regions, everywhere);
  const others = stacks.some(({ bucketName }) => bucketName !== undefined && !buckets.some(({ name }) => name === bucketName));
  return { account: looking.account, teams, stacks, buckets: others ? await leftBuckets(looking, [...reaches, ...stacks]) : buckets };
}

async function leftTeams({ config, aws, account, region }: Looking, users: Parameters<typeof findLeft>[1]): Promise<LeftTeam[]> {
  const have = teamsIn(config, account);
  // Users of one team, access and reach are of one stack: the tags of one of them tell of all.
  const alike = new Map<string, Array<{ team: string; name: string }>>();
  for (const user of users) {
    const { team, access, reach } = parseUserName(user) ?? {};
    if (team === undefined || have.has(team)) continue;
    const of = `${team} ${access} ${reach}`;
    alike.set(of, [...(alike.get(of) ?? []), { team, name: user.name }]);
  }
  const read = async (group: ReadonlyArray<{ team: string; name: string }>) => {
    for (const { name } of group) {
      const tags = await userTags(aws(region), name);
      // One that goes meanwhile tells nothing.
      if (tags !== undefined) return deploymentOf(tags) === config.deployment ? group.map((one) => ({ ...one, reach: reachIn(tags) })) : [];
    }
    return [];
  };
  const ours = (await pMap(alike.values(), read, { concurrency: 5 })).flat();
  const names = [...new Set(ours.map(({ team }) => team))].sort();
  const there = new Set(users.map((user) => parseUserName(user)?.team));
  const isNew = (one: Team) => one.bucket?.spec.account === account && principalsOf(one).length > 0 && !there.has(one.name);
  const added = config.teams.filter((one) => isNew(one) && one.was === undefined);
  const renamed = names.length === 1 && added.length === 1 ? { renamed: added[0]!.name } : {};
  return names.map((team) => {
    const own = ours.filter((user) => user.team === team);
    const reach = own.find((user) => user.reach !== undefined)?.reach;
    return { team, users: own.map(({ name }) => name), ...(reach === undefined ? {} : { reach }), ...renamed };
  });
}

/** What a region that is not enabled, that an organisation forbids, or that this partition of the list does not have yet, comes to. */
const SKIPPED: readonly string[] = ['aws-denied', 'aws-credentials-refused', 'aws-unreachable'];

async function leftStacks({ config, aws, account, region }: Looking, where: readonly string[], everywhere: boolean): Promise<LeftStack[]> {
  const used = new Set([
    region,
    ...specsOf(config)
      .filter((spec) => spec.account === account)
      .map((spec) => spec.region),
  ]);
  const regions = new Set([...(everywhere ? used : []), ...where.filter((one) => partitionOf(one) === partitionOf(region))]);
  const inFile = stacksIn(config, account);
  const have = teamsIn(config, account);
  const look = async (one: string): Promise<LeftStack[]> => {
    const names = await stackNames(aws(one)).catch((error: unknown) => {
      if (!used.has(one) && isKitError(error) && SKIPPED.includes(error.code)) return [];
      throw error;
    });
    return pMap(
      names.filter((name) => !inFile(name, one)),
      async (name): Promise<LeftStack[]> => {
        const { exists, tags, outputs } = await stackState(aws(one), name);
        if (!exists || !isOf(config.deployment, tags)) return [];
        const { [TAGS.team]: team } = tags;
        const { [OUTPUTS.bucketName]: bucketName } = outputs;
        return [{ name, region: one, ...(team === undefined || have.has(team) ? {} : { team }), ...(bucketName ? { bucketName } : {}) }];
      },
      { concurrency: 5 },
    ).then((found) => found.flat());
  };
  return (await pMap(regions, look, { concurrency: 8 })).flat();
}

async function leftBuckets(
  { config, aws, account, region }: Looking,
  named: ReadonlyArray<{ readonly bucketName?: string; readonly region: string } | undefined>,
): Promise<LeftBucket[]> {
  const inFile = new Set(specsOf(config).map(({ name }) => name));
  const have = teamsIn(config, account);
  const kits = Object.values(KIT_OWNERS).map((owner) => defaultBucketName(owner, account, ''));
  const places = new Map(named.flatMap((one) => (one?.bucketName === undefined ? [] : [[one.bucketName, one.region] as const])));
  for (const one of (await listBuckets(aws(region), 'halcyon-')) ?? [])
    places.set(one.name, one.region ?? places.get(one.name) ?? /-\d{12}-(.+)$/.exec(one.name)?.[1] ?? region);
  const others = [...places].filter(([name]) => !inFile.has(name) && !kits.some((kit) => name.startsWith(kit)));
  const look = async ([name, where]: readonly [string, string]): Promise<LeftBucket[]> => {
    const tags = await bucketTags(aws(where), { name, account }).catch((error: unknown) => {
      if (isKitError(error)) return {};
      throw error;
    });
    const { [TAGS.team]: team } = tags as Readonly<Record<string, string>>;
    if (!isOf(config.deployment, tags)) return [];
    return [{ name, region: where, ...(team === undefined || have.has(team) ? {} : { team }) }];
  };
  return (await pMap(others.sort(), look, { concurrency: 5 })).flat();
}
