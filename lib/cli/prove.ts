import type { KeyPair, PrincipalId } from '../contract/index.js';
import type { Team } from '../config/model.js';
import { KitError } from '../errors.js';
import { renderTable } from '../io/table.js';
import { failureOf, type SmokeReport } from '../smoke/report.js';
import type { SmokeOptions } from '../smoke/smoke.js';
import { subjectsOf } from '../smoke/subject.js';
import { noteProof, stampsOf, withoutProof, withReports, type ToProve } from './proven.js';
import { teamByTeam } from './run-teams.js';
import { engineContext, workable, type Session } from './session.js';

/** A smoke deploy of each mode in use, teams side by side. @param options.due - modes by team. Default: those of `modes`, of each. */
export async function proveTeams(
  session: Session,
  options: SmokeOptions & { readonly buildpackUrl?: string; readonly due?: ToProve['due'] },
): Promise<SmokeReport[]> {
  const { smokeTeam } = await import('../smoke/smoke.js');
  const { buildpackUrl, due, ...rest } = options;
  const dueOf = (team: string) => due?.find((one) => one.team === team);
  // An app that cannot be worked on stands for no mode.
  const teams = session.teams.filter(({ name }) => due === undefined || dueOf(name) !== undefined).map((team) => workable(session, team));
  const stamp = await stampsOf(session, teams);
  const reports = await teamByTeam(
    // Each builds in several modes, and accounts have few dynos.
    { ...session, concurrency: Math.min(session.concurrency, 3) },
    teams,
    async (team) => {
      const asked = { ...rest, ...(due && { modes: dueOf(team.name)?.modes }) };
      await noteProof(session, team, (before) => withoutProof(before, subjectsOf(team, asked)));
      const context = { ...(await engineContext(session, team)), signingBuildpackUrl: buildpackUrl };
      const proven = await smokeTeam(context, team, asked);
      // A team's own source is not what proves a mode.
      const means = { config: session.config, buildpackUrl, stamp: rest.source === undefined ? stamp(team) : undefined };
      await noteProof(session, team, (before) => withReports(means, team, proven, before));
      return proven;
    },
  );
  return reports.flat();
}

/** For the engine: proves that a key works before the second app gets it. */
export function prover(session: Session, options: { buildpackUrl?: string }) {
  return async (team: Team, principal: PrincipalId, app: string, key: KeyPair): Promise<void> => {
    const { smokePrincipal } = await import('../smoke/smoke.js');
    const report = await smokePrincipal(
      { ...(await engineContext(session, team)), signingBuildpackUrl: options.buildpackUrl },
      team,
      principal,
      { app, key },
    );
    if (!report.ok) throw new KitError('smoke-failed', failure(report));
  };
}

export function renderReports(reports: readonly SmokeReport[]): string {
  const rows = reports.flatMap(({ team, mode, access, proofs }) =>
    proofs.map(({ proof, expected, observed, ok }) => [
      ok ? '✔' : '✘',
      team,
      access === 'append-only' ? 'upload (append-only)' : mode,
      proof,
      short(ok ? observed : `${observed}, expected ${expected}`),
    ]),
  );
  const proven = rows.filter(([mark]) => mark === '✔').length;
  return [
    renderTable(['', 'team', 'mode', 'proof', 'observed'], rows),
    '',
    `${proven} of ${rows.length} proofs hold`,
    ...reports.filter(({ ok }) => !ok).map((report) => failure(report)),
  ].join('\n');
}

/** An archive's name says enough: what stands before it is the same in every row. */
const short = (text: string): string => text.replace(/s3:\/\/\S+\//g, 's3://…/');

const failure = (report: SmokeReport): string => `${report.team}, ${report.mode}: ${failureOf(report, 'the smoke deploy failed')}`;
