import { didYouMean } from '../../config/nearest.js';
import { halcyonBucket, parseStage } from '../../contract/index.js';
import { inWords } from '../clock.js';
import type { Blocked, Intent, KeyState, Knowledge, LeftApp, OutsideApp, TeamObservation } from '../model.js';
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
        found.push({ code: 'user-missing', text: `IAM user ${principal.user} does not exist; run halcyon-kit up ${team}, which makes it` });
      else if (principal.secret === 'missing')
        found.push({ code: 'secret-missing', text: `${principal.label} has no secret; run halcyon-kit up ${team}, which makes it` });
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

/** Apps that go to another storage, to which the packages of the one before do not follow: it is another team's, or they are to be left. */
function stays({ apps, packages = [] }: TeamObservation): string[] {
  const following = new Set(packages.map(({ from }) => halcyonBucket(from.bucketName, from.prefix)));
  const by = new Map<string, string[]>();
  for (const { name, state, vars, wanted } of apps) {
    const [from, to] = [vars.HALCYON_S3_BUCKET, wanted.HALCYON_S3_BUCKET];
    if (state !== 'present' || from === undefined || to === null || from === to || following.has(from)) continue;
    if (vars.HALCYON_NO_UPLOAD !== undefined) continue;
    by.set(from, [...(by.get(from) ?? []), name]);
  }
  return [...by].map(([from, names]) => `what ${names.join(', ')} archived in ${from} stays there: prebuild anew, or copy it`);
}

/** Apps on keys that are none of the team's, and are about to get one of its own: how an app that was set up by hand is taken over. */
function strangers(observation: TeamObservation): string[] {
  const byKey = new Map<string, string[]>();
  for (const app of observation.apps) {
    const key = app.vars.HALCYON_AWS_ACCESS_KEY_ID;
    if (app.state === 'present' && app.problem === undefined && key !== undefined && isOnOthersKey(observation, app))
      byKey.set(key, [...(byKey.get(key) ?? []), app.name]);
  }
  return [...byKey].map(
    ([key, names]) =>
      `${names.join(', ')} has ${key}, which is no key of team ${observation.team}: it is taken off the app and else left as it is, so builds that run with it go on`,
  );
}

/** What a person should know, though it stops nothing. */
export function notices(observation: TeamObservation, intent: Intent, now: number): string[] {
  const said: string[] = [];
  if (intent.kind === 'ensure') {
    said.push(...strangers(observation));
    for (const principal of observation.principals)
      for (const key of unknownKeys(principal)) said.push(describeUnknown(principal, key, now));
  }
  if (intent.kind !== 'down') said.push(...stays(observation));
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
  for (const principal of observation.principals) {
    const { attached, declared, quarantined, user, label } = principal;
    said.push(...quarantineOf(principal).map(({ text }) => text));
    if (attached !== undefined && !quarantined && (!declared || intent.kind === 'down'))
      said.push(
        `nobody needs IAM user ${user} of ${label}, but it has ${attached.join(', ')} by someone else's hand, so it stays, and its secret: take that away, and the next run deletes it`,
      );
  }
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
export const leftApps = ({ apps, outside = [] }: TeamObservation, intent: Intent): LeftApp[] =>
  apps.flatMap(({ name: app, state, problem }): LeftApp[] => {
    if (state === 'missing')
      return intent.kind === 'down'
        ? []
        : [
            {
              app,
              text: `${parseStage(app) === undefined ? 'app ' : ''}${app} does not exist, or not for this account; ${nearOf(app, outside) ?? 'correct its name, get access to it, or take it out of the file'}`,
            },
          ];
    if (state === 'unreadable') return [{ app, text: `app ${app} cannot be read: ${problem ?? 'no reason given'}` }];
    return problem === undefined ? [] : [{ app, text: problem }];
  });

/** A typo in a name makes an app that does not exist, and one that no team has: it is not to be freed of its key. */
const nearOf = (app: string, outside: readonly OutsideApp[]): string | undefined =>
  didYouMean(
    app,
    outside.filter(({ team, state }) => team === undefined && state === 'present').map(({ name }) => name),
  );
