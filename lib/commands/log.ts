import pMap from 'p-map';
import { checkAccount, identity } from '../aws/identity.js';
import { awsError } from '../aws/errors.js';
import type { CommandHost, CommandResult, GlobalOptions } from '../cli/command.js';
import { parseDuration } from '../cli/duration.js';
import { entriesSince, type Entry } from '../cli/journal.js';
import { several } from '../cli/render.js';
import { openSession, placesOf } from '../cli/session.js';
import { commandOf, stepInWords } from '../cli/words.js';
import { renderTable } from '../io/table.js';

/** What runs did to teams, the oldest first; of every event with `--verbose`. */
export async function log(names: readonly string[], options: GlobalOptions & { since: string }, host: CommandHost): Promise<CommandResult> {
  const since = new Date(Date.now() - parseDuration(options.since, '--since'));
  const session = await openSession(names, { ...options, all: options.all || names.length === 0 }, host);
  const places = placesOf(session.teams);
  if (places[0] !== undefined) checkAccount(await identity(session.aws(places[0].region)), places);
  const teams = await pMap(
    session.teams,
    async (team) => {
      const entries = await entriesSince(session, team, since).catch((error: unknown) => {
        throw awsError(error, `read the journal of ${team.name} in bucket ${team.bucket?.spec.name ?? ''}`);
      });
      return { team: team.name, entries };
    },
    { concurrency: session.concurrency },
  );
  const runs = teams.flatMap(({ team, entries }) => entries.map((entry) => ({ team, entry })));
  const rows = runs
    .sort((a, b) => a.entry.began.localeCompare(b.entry.began))
    .flatMap(({ team, entry }) => rowsOf(team, entry, options.verbose));
  const text =
    rows.length === 0 ? `no run since ${since.toISOString()}` : renderTable(['when', 'team', 'who', 'what', 'came to', 'file'], rows);
  return { data: { since: since.toISOString(), teams }, text };
}

export const rowsOf = (team: string, { began, who, status, summary, file, events, ...what }: Entry, verbose = false): string[][] => [
  [
    ...[began.slice(0, 19), team, who, commandOf(what)],
    ...[summary.startsWith(status) ? summary : [status, summary].filter(Boolean).join(': '), file],
  ],
  ...(verbose
    ? events.map(({ at, step, text, principal = '', keyId = '', apps = [] }) => [
        `  ${at.slice(0, 19)}`,
        '',
        principal,
        stepInWords(step),
        [`${keyId} ${text}`.trim(), several(apps.map(({ app }) => app))].filter((part) => part !== '').join(': '),
        '',
      ])
    : []),
];
