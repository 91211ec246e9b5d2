import type { AppState, Holder, Intent, OutsideApp, PrincipalState, Step, TeamObservation } from '../model.js';

/** Every app that was ever given a key of the team's principals, in its file or not. */
export const everyHolder = ({ apps, outside = [] }: TeamObservation): readonly AppState[] => [...apps, ...outside];

/** The principal whose key an app holds, or once held as far as its secret tells; undefined: none of the team's. */
export const ownerOf = ({ principals }: TeamObservation, { vars }: AppState): PrincipalState | undefined => {
  const held = vars.HALCYON_AWS_ACCESS_KEY_ID;
  return held === undefined
    ? undefined
    : principals.find(({ keys, versions }) => keys.some(({ id }) => id === held) || Object.hasOwn(versions, held));
};

/** Who has a key, or is about to be given one by `goals` (key by user), and is not written down yet. An app whose id nobody knows is not. */
export function recordSteps(observation: TeamObservation, goals: ReadonlyMap<string, string>): Step[] {
  const { recorded, apps, principals } = observation;
  if (recorded === undefined) return [];
  const known = new Map(Object.entries(recorded).map(([user, holders]) => [user, new Set(holders.map((holder) => holder.id))]));
  const ownerOfKey = new Map(principals.flatMap(({ user, keys }) => keys.map((key) => [key.id, user] as const)));
  const missing = new Map<string, Holder[]>();
  for (const { id, name, stage = name, user, state, vars } of apps) {
    // Review apps come and go, and are found by their stage.
    if (id === undefined || state !== 'present' || stage !== name) continue;
    const holds = ownerOfKey.get(vars.HALCYON_AWS_ACCESS_KEY_ID ?? '');
    const gets = user !== undefined && goals.has(user) ? user : undefined;
    for (const one of new Set([holds, gets]))
      if (one !== undefined && known.get(one)?.has(id) === false) missing.set(one, [...(missing.get(one) ?? []), { id, app: name }]);
  }
  return principals.flatMap(({ user, label }): Step[] => {
    const holders = missing.get(user);
    if (holders === undefined) return [];
    return [
      { kind: 'record-holders', user, principal: label, holders, reason: 'written down before a key is given, for the retire barrier' },
    ];
  });
}

/** Apps that no team of the file has, and that hold a key of this one: they keep it until they are asked to go. */
export const leftHolders = (observation: TeamObservation): OutsideApp[] =>
  (observation.outside ?? []).filter((app) => app.team === undefined && app.state === 'present' && ownerOf(observation, app) !== undefined);

/** Whether those are asked to go. */
export const isPruning = (intent: Intent): boolean => intent.kind === 'down' || (intent.kind === 'ensure' && intent.prune === true);
