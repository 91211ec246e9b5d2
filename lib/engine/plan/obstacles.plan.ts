import { inWords } from '../clock.js';
import type { Blocked, Intent, KeyState, Knowledge, LeftApp, TeamObservation } from '../model.js';
import { isOnOthersKey } from './apps.plan.js';
import { isPruning, leftHolders } from './holders.plan.js';
import { describeUnknown, isKnown, keyNamed, keyToUndo, quarantineOf, unknownKeys } from './principal.plan.js';

/** Whatever must be settled by a person first. */
export function obstacles(observation: TeamObservation, intent: Intent, knowledge: Knowledge, now: number): Blocked[] {
  const found: Blocked[] = [];
  const { principals, apps, team } = observation;
  if (intent.kind === 'emergency' || intent.kind === 'delete-unknown') {
    const principal = principals.find(({ keys }) => keys.some(({ id }) => id === intent.keyId));
    const gone = intent.kind === 'emergency' && principals.some(({ versions }) => Object.hasOwn(versions, intent.keyId));
    if (principal === undefined && !gone && !knowledge.began)
      found.push({ code: 'key-not-found', text: `no user of team ${team} has a key ${intent.keyId}` });
    if (intent.kind === 'delete-unknown' && principal !== undefined) {
      const key = keyNamed(principal, intent.keyId) as KeyState;
      const holder = apps.find((app) => app.vars.HALCYON_AWS_ACCESS_KEY_ID === key.id);
      if (isKnown(key))
        found.push({ code: 'key-known', text: `${key.id} is a key of ${principal.label} that the kit made; rotate it instead` });
      else if (holder !== undefined)
        found.push({
          code: 'key-in-use',
          text: `${key.id} is held by app ${holder.name}; run sync first, which gives it ${principal.label}'s own key`,
        });
    }
    return found;
  }
  if (intent.kind !== 'down') {
    for (const principal of principals.filter((candidate) => candidate.declared)) {
      if (!principal.exists)
        found.push({ code: 'user-missing', text: `IAM user ${principal.user} does not exist; deploy the stack of team ${team} first` });
      else if (principal.secret === 'missing')
        found.push({ code: 'secret-missing', text: `${principal.label} has no secret; deploy the stack of team ${team} first` });
    }
  }
  if (intent.kind !== 'ensure') {
    for (const principal of principals) {
      for (const key of unknownKeys(principal)) {
        found.push({
          code: 'unknown-key',
          text: `${describeUnknown(principal, key, now)}; if it may go, run rotate with --delete-unknown-key ${key.id}`,
        });
      }
    }
  }
  if (
    intent.kind === 'undo' &&
    !knowledge.began &&
    principals.every((p) => keyToUndo(p) === undefined && !p.keys.some((key) => key.refused !== undefined))
  ) {
    found.push({
      code: 'nothing-to-undo',
      text: `no key of team ${team} has one before it: an undo is possible until the old key is deleted`,
    });
  }
  return found;
}

/** What a person should know, though it stops nothing. */
export function notices(observation: TeamObservation, intent: Intent, now: number): string[] {
  const said: string[] = [];
  if (intent.kind === 'ensure') {
    for (const principal of observation.principals)
      for (const key of unknownKeys(principal)) said.push(describeUnknown(principal, key, now));
  }
  if (!isPruning(intent))
    for (const app of leftHolders(observation))
      said.push(
        `${app.name} is in no team of the file and has the key ${app.vars.HALCYON_AWS_ACCESS_KEY_ID}: put it back, or take its config vars away with halcyon-kit up --prune`,
      );
  if (intent.kind === 'down')
    for (const app of observation.apps.filter((one) => one.state === 'present' && isOnOthersKey(observation, one)))
      said.push(
        `${app.name} runs on ${app.vars.HALCYON_AWS_ACCESS_KEY_ID}, which is no key of team ${observation.team}: it is left as it is`,
      );
  for (const principal of observation.principals) said.push(...quarantineOf(principal).map(({ text }) => text));
  if (intent.kind === 'emergency') {
    const hit = observation.apps.filter((app) => app.vars.HALCYON_AWS_ACCESS_KEY_ID === intent.keyId).map((app) => app.name);
    said.push(
      hit.length === 0
        ? `no app holds ${intent.keyId}`
        : `without a working key until theirs is replaced, about ${inWords(30_000 + 2000 * hit.length)}: ${hit.join(', ')}; builds that run meanwhile may fail`,
    );
  }
  return said;
}

/** Apps that cannot be worked on, and so are left as they are; they stop no others. One that is gone is none to a team that goes. */
export const leftApps = ({ apps }: TeamObservation, intent: Intent): LeftApp[] =>
  apps.flatMap(({ name: app, state, problem }): LeftApp[] => {
    if (state === 'missing')
      return intent.kind === 'down'
        ? []
        : [
            {
              app,
              text: `app ${app} does not exist, or not for this account; correct its name, get access to it, or take it out of the file`,
            },
          ];
    if (state === 'unreadable') return [{ app, text: `app ${app} cannot be read: ${problem ?? 'no reason given'}` }];
    return problem === undefined ? [] : [{ app, text: problem }];
  });
