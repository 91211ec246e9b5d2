import pMap from 'p-map';
import { z } from 'zod';
import { principalOf, storageOf } from '../config/derive.js';
import type { KitConfig, Team } from '../config/model.js';
import { digestOf, isOurBuildpack, proofKey, userName, type Mode } from '../contract/index.js';
import type { Deployer } from '../deploy/deploy.client.js';
import { stackStates, type ListedStack } from '../deploy/stack.client.js';
import { isStackChanged, stacksFor } from '../deploy/stacks.plan.js';
import { inWords } from '../engine/clock.js';
import { isKitError } from '../errors.js';
import type { SmokeReport } from '../smoke/report.js';
import { subjectOf, subjectsOf, type Subject } from '../smoke/subject.js';
import type { LastProof } from './glance.js';
import type { Preview } from './preview.js';
import { alike, several } from './render.js';
import { workable, type Session } from './session.js';

/** What is outside of what the kit sees, such as Heroku's stacks or a policy that a hand changed, is tried again after so long, ms. */
const HOLDS_MS = 7 * 86_400_000;

/** By mode and access: when it was tried, whether all was as it should be, and a digest of what that rests on; without one it holds no more. */
const MODES = z.record(z.string(), z.object({ at: z.iso.datetime(), ok: z.boolean(), of: z.string().optional() }));
/** Of the modes in use: since when each of them has been tried, and whether all was as it should be. */
const PROOF = z.object({ at: z.iso.datetime(), ok: z.boolean(), modes: MODES.default({}) });
type ProofRecord = z.infer<typeof PROOF>;

/** What smoke deploys are made with, beside what the file says of a team. */
export interface Means {
  readonly config: KitConfig;
  /** Of the SigV4 buildpack. */
  readonly buildpackUrl?: string;
  /** Of the stacks that the team needs, as {@link stampOf} says. */
  readonly stamp?: string;
}

const nameOf = ({ mode, access }: Pick<Subject, 'mode' | 'access'>): string => (access === undefined ? mode : `${mode} ${access}`);

/**
 * Bucket, user and buildpacks, and the stacks, which say what the user may do. Not its key: whoever turns that tries the new one by requests
 * of all kinds, and the first app's by a build.
 */
const restsOn = ({ config, buildpackUrl, stamp }: Means, { team, app }: Subject): string => {
  const principal = principalOf(team, app);
  const user = principal && userName(principal);
  return digestOf([storageOf(config, team, app), user, config.buildpack, config.signing, buildpackUrl, stamp]);
};

/** Stacks as they are: undefined where one is not there, or is being changed. Lists tell seconds. */
const stampOf = (stacks: ReadonlyArray<ListedStack | undefined>): string | undefined => {
  const times = stacks.map((one) =>
    one?.exists && !one.status?.endsWith('_IN_PROGRESS') ? one.changedAt && Math.floor(one.changedAt.getTime() / 1000) : undefined,
  );
  return times.includes(undefined) ? undefined : times.join();
};

/** The same of those that a team needs. */
const stampIn = (config: KitConfig, team: Team, stateOf: (name: string, region: string) => ListedStack | undefined): string | undefined =>
  stampOf(stacksFor(config, [team]).map(({ name, region }) => stateOf(name, region)));

/**
 * Modes of a team that no proof holds for, and since when the others are proven. Pure.
 * @internal
 * @param now.at - ms.
 */
export function unprovenModes(
  means: Means,
  team: Team,
  now: { readonly at: number; readonly proof?: ProofRecord },
): { readonly due: Mode[]; readonly held: string[] } {
  const due = new Set<Mode>();
  const held: string[] = [];
  for (const subject of subjectsOf(team)) {
    const { at = '', ok, of } = now.proof?.modes[nameOf(subject)] ?? {};
    const holds = ok && now.at - Date.parse(at) < HOLDS_MS && of === restsOn(means, subject);
    if (means.stamp !== undefined && holds) held.push(at);
    else due.add(subject.mode);
  }
  return { due: [...due], held: held.sort() };
}

/** What `up` has to prove, and since when at least the rest is proven, by team. */
export interface ToProve {
  readonly due: ReadonlyArray<{ readonly team: string; readonly modes: readonly Mode[] }>;
  readonly held: ReadonlyArray<{ readonly team: string; readonly at: string }>;
}

/** @param options.again - whatever was proven. */
export async function toProve(
  session: Session,
  { stacks }: Pick<Preview, 'stacks'>,
  options: { readonly deployer: Pick<Deployer, 'stateOf'>; readonly buildpackUrl?: string; readonly again?: boolean },
): Promise<ToProve> {
  const { config, concurrency, network } = session;
  const now = await pMap(
    session.teams,
    async (team) => {
      const names = stacksFor(config, [team]).map(({ name }) => name);
      // What this run changes is not known yet.
      const changing = stacks.some((one) => names.includes(one.stack) && isStackChanged(one));
      const proof = options.again || changing ? undefined : await recordOf(session, team);
      const means = { config, buildpackUrl: options.buildpackUrl, stamp: stampOf(names.map(options.deployer.stateOf)) };
      return { team: team.name, ...unprovenModes(means, workable(session, team), { at: network.time.now(), proof }) };
    },
    { concurrency },
  );
  return {
    due: now.flatMap(({ team, due }) => (due.length > 0 ? [{ team, modes: due }] : [])),
    held: now.flatMap(({ team, due, held: [at] }) => (due.length === 0 && at !== undefined ? [{ team, at }] : [])),
  };
}

/** Of teams that came `through`, whatever was planned. */
export function provenAfter({ due, held }: ToProve, through: readonly Team[]): ToProve {
  const isThrough = ({ team }: { readonly team: string }) => through.some(({ name }) => name === team);
  return { due: due.filter(isThrough), held: held.filter(isThrough) };
}

export function renderDue({ due }: ToProve): string[] {
  const groups = alike(due, ({ modes }) => modes.join(), false).map(
    (group) => `${several(group.map(({ team }) => team))} (${group[0].modes.join(', ')})`,
  );
  return groups.length === 0 ? [] : [`Builds on short-lived apps will prove ${groups.join('; ')}.`];
}

/** @param now - ms. */
export function renderHeld({ held }: ToProve, now: number): string[] {
  if (held.length === 0) return [];
  const [names, first] = [several(held.map(({ team }) => team)), Math.min(...held.map(({ at }) => Date.parse(at)))];
  const ago = `proven${held.length > 1 ? ', the first' : ''} ${inWords(now - first)} ago`;
  return [`${names}: ${ago}; nothing that the kit sees of it has changed; --smoke proves it again`];
}

/** When the stacks of teams were last changed, for what is proven now. */
export async function stampsOf(
  session: Pick<Session, 'config' | 'aws' | 'host'>,
  teams: readonly Team[],
): Promise<(team: Team) => string | undefined> {
  const stateOf = await stackStates(session.aws, stacksFor(session.config, teams)).catch((error: unknown) => {
    if (!isKitError(error, 'aws-denied')) throw error;
    session.host.io.debug(`what is proven now holds for no later run: ${error.message}`);
    return () => undefined;
  });
  return (team) => stampIn(session.config, team, stateOf);
}

/** Before builds show anything: whatever becomes of them, what was proven before holds no more. Pure. */
export const withoutProof = (
  modes: ProofRecord['modes'],
  tried: ReadonlyArray<Pick<Subject, 'mode' | 'access'>>,
): ProofRecord['modes'] => ({
  ...modes,
  ...Object.fromEntries(tried.map(nameOf).flatMap((name) => (modes[name] ? [[name, { ...modes[name], of: undefined }]] : []))),
});

/**
 * What smoke deploys of a team have shown, beside what was known of other modes in use. What was tried on an app that has not the buildpacks
 * it should have is no proof of those. Pure.
 */
export function withReports(means: Means, team: Team, reports: readonly SmokeReport[], before: ProofRecord['modes']): ProofRecord['modes'] {
  const { buildpackUrl, config, stamp } = means;
  const tried = reports.flatMap((report) => {
    const app = team.apps.find(({ name }) => name === report.app);
    if (app === undefined) return [];
    const { buildpacks, startedAt: at } = report.evidence;
    const isOurs = (url: string) => isOurBuildpack(url, config.signing.buildpack);
    const asWanted = report.mode === 'public' || buildpacks.every((url) => !isOurs(url) || url === buildpackUrl);
    const of = asWanted && stamp !== undefined ? restsOn(means, subjectOf(team, app)) : undefined;
    return [[nameOf(report), { at, ok: report.ok, of }] as const];
  });
  const inUse = new Set(subjectsOf(team).map(nameOf));
  return Object.fromEntries([...Object.entries(before), ...tried].filter(([name]) => inUse.has(name)));
}

/** Written down beside the lease. Who cannot is told so: then an older proof may be taken for held. */
export async function noteProof(
  session: Session,
  team: Team,
  change: (before: ProofRecord['modes']) => ProofRecord['modes'],
): Promise<void> {
  if (team.bucket === undefined) return;
  const object = await objectOf(session, team, team.bucket);
  try {
    for (let attempts = 3; attempts > 0; attempts -= 1) {
      const found = await object.read();
      const modes = change(parsed(found?.body)?.modes ?? {});
      const all = Object.values(modes);
      if (all.length === 0) return;
      const [at] = all.map((one) => one.at).sort();
      const body = JSON.stringify({ at, ok: all.every(({ ok }) => ok), modes });
      if ((await (found === undefined ? object.create(body) : object.replace(body, found.etag))) !== undefined) return;
    }
  } catch (error) {
    if (!isKitError(error)) throw error;
    session.host.io.warn(`what is proven of team ${team.name} could not be noted: ${error.message}`);
  }
}

async function objectOf({ aws }: Session, { name }: Team, { spec }: NonNullable<Team['bucket']>) {
  const { s3Object } = await import('../engine/ports/s3-object.client.js');
  return s3Object(aws(spec.region), spec, proofKey(name));
}

function parsed(body: string | undefined): ProofRecord | undefined {
  try {
    return body === undefined ? undefined : PROOF.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
}

/** Nice to know, and nothing hangs on it: what no record tells of is proven again. */
async function recordOf(session: Session, team: Team): Promise<ProofRecord | undefined> {
  if (team.bucket === undefined) return undefined;
  try {
    return parsed((await (await objectOf(session, team, team.bucket)).read())?.body);
  } catch (error) {
    if (!isKitError(error)) throw error;
    session.host.io.debug(`the last proof: ${error.message}`);
    return undefined;
  }
}

/** For `status`, which looks at the same as `up`. @param now.stateOf - of the stacks of all teams. */
export async function lastProof(
  session: Session,
  team: Team,
  now: {
    readonly buildpackUrl?: string;
    readonly stateOf: (name: string, region: string) => ListedStack;
  },
): Promise<LastProof | undefined> {
  const proof = await recordOf(session, team);
  if (proof === undefined) return undefined;
  const { config, network } = session;
  const stamp = stampIn(config, team, now.stateOf);
  const { due } = unprovenModes({ config, buildpackUrl: now.buildpackUrl, stamp }, workable(session, team), {
    at: network.time.now(),
    proof,
  });
  return { at: proof.at, ok: proof.ok, ...(due.length === 0 ? {} : { due }) };
}
