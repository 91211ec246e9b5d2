import pMap from 'p-map';
import type { Aws } from '../aws/aws.js';
import { identity } from '../aws/identity.js';
import { withGenerations } from '../config/generations.js';
import { principalsOf, regionOf } from '../config/derive.js';
import type { KitConfig, Team } from '../config/model.js';
import { parseUserName, secretName, userName } from '../contract/index.js';
import { NOTHING_LEFT, type Left } from '../deploy/left.plan.js';
import { isKitError } from '../errors.js';

/** The part of a session that it takes. */
interface Opened {
  readonly config: KitConfig;
  readonly teams: readonly Team[];
  readonly aws: (region: string) => Aws;
}

/**
 * The session with the principals of its teams as AWS has them: of later generations where the first one's name is taken. One request for
 * all teams of an account, and one more for a team that has users beside those of the file. And what an earlier file left there.
 * @param deploying - the stacks are about to be deployed, and can make what is not there.
 * @param everywhere - stacks are looked for in every region. Default false.
 */
export async function withPrincipals<S extends Opened>(
  session: S,
  { deploying, everywhere = false }: { readonly deploying: boolean; readonly everywhere?: boolean },
): Promise<S & { readonly left: Left }> {
  const { config, teams, aws } = session;
  const home = teams.find((team) => regionOf(team) !== undefined)?.bucket?.spec;
  if (home === undefined) return { ...session, left: NOTHING_LEFT };
  const [{ quarantinedUsers, userNames, usersInStack }, { awsSecrets }] = await Promise.all([
    import('../engine/ports/iam.client.js'),
    import('../engine/ports/secrets-manager.client.js'),
  ]);
  const [users, quarantined] = await Promise.all([userNames(aws(home.region)), quarantinedUsers(aws(home.region))]);
  const exist = new Set(users.map(({ name }) => name));
  const settle = async (team: Team): Promise<Team> => {
    const own = new Set(users.filter((user) => parseUserName(user)?.team === team.name).map(({ name }) => name));
    const declared = principalsOf(team);
    const region = regionOf(team);
    const beside = [...own].some((name) => !declared.some((principal) => userName(principal) === name));
    if (region === undefined || !(beside || deploying)) return team;
    const inStack = await usersInStack(aws(region), team.name);
    // The name of an app's own user is taken by the team that the app was in.
    const unfit = new Set([...quarantined, ...users.filter(({ name }) => !own.has(name)).map(({ name }) => name)]);
    const of = (unable: ReadonlySet<string>) => withGenerations(declared, { exist, inStack, unfit: unable }, deploying);
    const chosen = of(unfit);
    // CloudFormation does not miss a secret that was deleted by hand, either.
    const made = deploying ? chosen.filter((principal) => exist.has(userName(principal)) && inStack.has(userName(principal))) : [];
    const secrets = awsSecrets(aws(region));
    const bare = await pMap(
      made,
      async (principal) => ((await secrets.read(secretName(principal), [])) === undefined ? [userName(principal)] : []),
      { concurrency: 5 },
    );
    return { ...team, principals: bare.flat().length === 0 ? chosen : of(new Set([...unfit, ...bare.flat()])) };
  };
  const settled = new Map((await pMap(teams, settle, { concurrency: 5 })).map((team) => [team.name, team]));
  const replaced = (team: Team): Team => settled.get(team.name) ?? team;
  const { findLeft } = await import('../deploy/left.client.js');
  const left = await findLeft({ config, aws, ...home }, users, everywhere).catch((error: unknown) => {
    if (isKitError(error)) return { ...NOTHING_LEFT, unread: error.message };
    throw error;
  });
  return { ...session, left, config: { ...config, teams: config.teams.map(replaced) }, teams: teams.map(replaced) };
}

/** What an earlier file left in the account of the credentials, in every region. */
export async function lookForLeft({ config, aws }: Omit<Opened, 'teams'>): Promise<Left> {
  const [{ userNames }, { findLeft }] = await Promise.all([import('../engine/ports/iam.client.js'), import('../deploy/left.client.js')]);
  const region = config.teams.map(regionOf).find((one) => one !== undefined) ?? config.buckets[0]?.region ?? 'us-east-1';
  const { account } = await identity(aws(region));
  return findLeft({ config, aws, account, region }, await userNames(aws(region)), true);
}
