import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { principalsOf, teamNamed } from '../config/derive.js';
import { loadConfig } from '../config/index.js';
import type { KitConfig, Team } from '../config/model.js';
import { partitionOf } from '../config/regions.js';
import { bucketPolicyOf, userPolicyOf } from '../constructs/file-policies.js';
import { boundaryPolicy, DEFAULT_BOUNDARY, operatorPolicy, type OperatorScope } from '../constructs/operator-policy.js';
import type { PolicyDocumentJson } from '../constructs/policies.js';
import { ACCESSES, principalLabel } from '../contract/index.js';
import { KitError } from '../errors.js';

/** Print policies as JSON: of whoever runs the kit, of its users' boundary, of an access, or of a team. Needs no credentials. */
export async function policy(
  what: string,
  options: GlobalOptions & { partition?: string; was?: readonly string[] },
  { io }: Pick<CommandHost, 'io'>,
): Promise<CommandResult> {
  const config = await loadConfig(options.config);
  if (what === 'operator' && config.permissionsBoundary === undefined)
    io.warn(
      `this policy makes users within the boundary ${DEFAULT_BOUNDARY} only: make it from "halcyon-kit policy boundary", and add "permissionsBoundary: ${DEFAULT_BOUNDARY}" to the file`,
    );
  const former = await Promise.all((options.was ?? []).map((file) => loadConfig(file)));
  const data = policies(what, config, options.partition, former);
  return { data, text: JSON.stringify(data, null, 2), verbatim: true };
}

/**
 * One policy, or several by what they are of. Pure.
 * @param former - what the file was: whoever is still set up by it is covered by the operator's policy and the boundary, too.
 */
export function policies(
  what: string,
  config: KitConfig,
  partition?: string,
  former: readonly KitConfig[] = [],
): PolicyDocumentJson | Record<string, PolicyDocumentJson> {
  if (what === 'operator') return operatorPolicy(scopeOf([config, ...former], partition));
  if (what === 'boundary') return boundaryPolicy(scopeOf([config, ...former], partition));
  const access = ACCESSES.find((one) => one === what);
  // The one mode without a key, and so without a policy.
  if (what === 'public' && !config.teams.some(({ name }) => name === what)) return {};
  if (access === undefined) return ofTeam(teamNamed(config, what), config);
  const all = config.teams.flatMap((team) => Object.entries(usersOf(team)));
  return Object.fromEntries(all.filter(([label]) => label.endsWith(`/${access}`)));
}

function ofTeam(team: Team, config: KitConfig): Record<string, PolicyDocumentJson> {
  const { bucket } = team;
  if (bucket === undefined || bucket.kind === 'existing') return usersOf(team);
  return { ...usersOf(team), [`bucket ${bucket.spec.name}`]: bucketPolicyOf(bucket.spec, config) };
}

function usersOf(team: Team): Record<string, PolicyDocumentJson> {
  const { bucket } = team;
  if (bucket === undefined) return {};
  return Object.fromEntries(principalsOf(team).map((one) => [principalLabel(one), userPolicyOf(bucket, one.access)]));
}

/** @throws KitError `partition-missing` where the file is in several: a policy names resources of one. */
function scopeOf(files: readonly [KitConfig, ...KitConfig[]], wanted: string | undefined): OperatorScope {
  const all = [
    ...files.flatMap(({ buckets }) => buckets.map((spec) => ({ spec, kind: 'shared' as const }))),
    ...files.flatMap(({ teams }) => teams).flatMap(({ bucket }) => (bucket === undefined ? [] : [bucket])),
  ];
  const partitions = [...new Set(all.map(({ spec }) => partitionOf(spec.region)))];
  const partition = wanted ?? (partitions.length <= 1 ? (partitions[0] ?? 'aws') : undefined);
  if (partition === undefined)
    throw new KitError('partition-missing', `the file is in several partitions; say which with --partition: ${partitions.join(', ')}`);
  const here = all.filter(({ spec }) => partitionOf(spec.region) === partition);
  const names = (of: typeof here) => [...new Set(of.map(({ spec }) => spec.name))];
  const accounts = [...new Set(here.map(({ spec }) => spec.account))];
  return {
    partition,
    accounts: accounts.length === 0 ? ['*'] : accounts,
    boundary: files[0].permissionsBoundary ?? DEFAULT_BOUNDARY,
    made: names(here.filter(({ spec, kind }) => kind !== 'existing' && !spec.name.startsWith('halcyon-'))),
    existing: names(here.filter(({ kind }) => kind === 'existing')),
    kmsKeyArns: [...new Set(here.flatMap(({ spec }) => spec.kmsKeyArn ?? []))],
    topics: [...new Set(files.flatMap(({ notify = [] }) => notify.flatMap(({ sns }) => sns ?? [])))].filter((arn) =>
      arn.startsWith(`arn:${partition}:`),
    ),
  };
}
