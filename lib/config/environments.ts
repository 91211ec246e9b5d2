import { principalsOf, specsOf } from './derive.js';
import type { BucketSpec, KitConfig, Team } from './model.js';

/** Where things are deployed: pure, and free of the CDK, so that the CLI can ask without loading it. */

/** An account and a region of it, as the CDK calls it. */
export type Environment = Pick<BucketSpec, 'account' | 'region'>;

/** Whether a team has a stack at all: one with only public apps and no bucket of its own has nothing to deploy. */
export const hasStack = (team: Team): boolean => team.bucket !== undefined && (team.bucket.kind === 'own' || principalsOf(team).length > 0);

/**
 * Where `signing.buildpack: hosted` is served from, in each account: where the file says, else where it is already, else beside the file's
 * first bucket there. Empty where it is not asked for.
 * @param teams - only for these. Default: all of the file.
 */
export function buildpackEnvironments(config: KitConfig, teams: readonly Team[] = config.teams): Environment[] {
  if (config.signing.version !== 4 || config.signing.buildpack !== 'hosted') return [];
  const used = new Set(teams.flatMap(({ bucket }) => bucket?.spec.account ?? []));
  const first = new Map<string, Environment>();
  for (const { account, region } of specsOf(config))
    if (used.has(account) && !first.has(account))
      first.set(account, { account, region: config.signing.region ?? config.buildpackHomes?.[account]?.[0] ?? region });
  return [...first.values()];
}

/** The part of a file in the accounts of `teams`: one set of credentials reaches no other. */
export function inAccountsOf(config: KitConfig, teams: readonly Team[]): KitConfig {
  const accounts = new Set(teams.flatMap(({ bucket }) => bucket?.spec.account ?? []));
  return {
    ...config,
    buckets: config.buckets.filter(({ account }) => accounts.has(account)),
    teams: config.teams.filter(({ bucket }) => bucket !== undefined && accounts.has(bucket.spec.account)),
  };
}
