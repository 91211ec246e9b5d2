import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { withGenerations } from '../config/generations.js';
import { principalsOf } from '../config/derive.js';
import type { KitConfig, Team } from '../config/model.js';
import { parseUserName, userName } from '../contract/index.js';

/** The part of a session that it takes. */
interface Opened {
  readonly config: KitConfig;
  readonly teams: readonly Team[];
  readonly aws: (region: string) => Aws;
}

const regionOf = (team: Team): string | undefined => team.bucket?.spec.region;

/**
 * The session with the principals of its teams as AWS has them: of later generations where the first one's name is taken. One request for
 * all teams of an account, and one more for a team that has users beside those of the file.
 * @param deploying - the stacks are about to be deployed, and can make what is not there.
 */
export async function withPrincipals<S extends Opened>(session: S, { deploying }: { readonly deploying: boolean }): Promise<S> {
  const { config, teams, aws } = session;
  const region = teams.map(regionOf).find((one) => one !== undefined);
  if (region === undefined) return session;
  const { awsKeys, quarantinedUsers, userNames } = await import('../engine/ports/iam.client.js');
  const [users, quarantined] = await Promise.all([userNames(aws(region)), quarantinedUsers(aws(region))]);
  const settle = async (team: Team): Promise<Team> => {
    const exist = new Set(users.filter((user) => parseUserName(user)?.team === team.name).map(({ name }) => name));
    const declared = principalsOf(team);
    const home = regionOf(team);
    const beside = [...exist].some((name) => !declared.some((principal) => userName(principal) === name));
    if (home === undefined || !(beside || deploying)) return team;
    const inStack = await awsKeys(aws(home)).usersInStack(team.name);
    return { ...team, principals: withGenerations(declared, { exist, inStack, quarantined }, deploying) };
  };
  const settled = new Map((await pMap(teams, settle, { concurrency: 5 })).map((team) => [team.name, team]));
  const replaced = (team: Team): Team => settled.get(team.name) ?? team;
  return { ...session, config: { ...config, teams: config.teams.map(replaced) }, teams: teams.map(replaced) };
}
