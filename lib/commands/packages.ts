import type { ChangeOptions, CommandHost, CommandResult } from '../cli/command.js';
import { parseDuration } from '../cli/duration.js';
import { admit, narrowed, openSession, selectTeams } from '../cli/session.js';
import { awsOf, stockLooker } from '../cli/stock.js';
import { halcyonBucket } from '../contract/index.js';
import { inWords } from '../engine/clock.js';
import { KitError } from '../errors.js';
import { inStep } from '../io/io-host.js';
import { counted, inBytes } from '../io/printable.js';
import { renderTable } from '../io/table.js';
import { placesOf, prune, type SeenPackage, type Stock } from '../prebuild/packages.client.js';
import { amountOf, type StoredPackage } from '../storage/packages.plan.js';

export interface PackagesOptions extends ChangeOptions {
  readonly prune?: boolean;
  readonly soak: string;
}

/** What is kept for which apps; with `--prune`, what none of them could use goes. */
export async function packages(names: readonly string[], options: PackagesOptions, host: CommandHost): Promise<CommandResult> {
  const soakMs = parseDuration(options.soak, '--soak');
  const opened = await openSession([], { ...options, all: true }, host);
  const places = placesOf(opened.teams, selectTeams(opened.config, names, options.all === true || names.length === 0));
  const foreign = places.find(({ bucket }) => bucket.kind === 'existing');
  if (options.prune && foreign !== undefined)
    throw new KitError(
      'bucket-not-ours',
      `bucket ${foreign.bucket.spec.name} was there before, and nobody here knows who else uses it: nothing in it is removed; name teams with buckets of the kit's own`,
    );
  const session = await admit(
    narrowed(
      opened,
      places.flatMap(({ teams }) => teams),
    ),
  );
  const look = await stockLooker(session, soakMs);
  const stocks: Stock[] = [];
  for (const place of places) {
    const title = `looking at ${halcyonBucket(place.bucket.spec.name, place.bucket.prefix)}, and at the newest builds of its apps`;
    stocks.push(await inStep(host.io, title, () => look(place)));
  }
  const text = [stocks.map(render).join('\n\n'), ...(options.prune ? [stocks.map(renderPrune).join('\n')] : [])].join('\n\n');
  const data = { places: stocks.map(({ unused: _, ...stock }) => stock) };
  if (!options.prune || options.dryRun) return { data, text };
  const unknown = stocks.find((stock) => stock.unknown.length > 0);
  if (unknown !== undefined)
    throw new KitError(
      'packages-unknown',
      `nothing is removed from ${unknown.bucket}, as it cannot be told what is used: ${unknown.unknown.join('; ')}`,
    );
  const due = stocks.flatMap((stock) => stock.due);
  if (due.length > 0) {
    host.io.info(text);
    if (!(await host.confirm(`Remove ${sizeOf(due)} that no app could use?`))) throw new KitError('declined', 'nothing was changed');
  }
  const removed: StoredPackage[] = [];
  for (const [at, stock] of stocks.entries()) removed.push(...(await prune(awsOf(session, places[at]!), places[at]!, stock, host.signal)));
  host.evidence.note({ removed: removed.map(({ key }) => key) });
  const rests = stocks.flatMap((stock) => stock.soaking);
  return {
    data: { ...data, removed: removed.map(({ key }) => key) },
    text: `${sizeOf(removed)} removed${rests.length > 0 ? `; ${sizeOf(rests)} at rest for ${options.soak}: run again then` : ''}`,
    exitCode: rests.length > 0 ? 2 : 0,
  };
}

function render({ bucket, place, teams, packages: all, unknown }: Stock): string {
  const groups = [...new Set(all.map(groupOf))].map((group) => all.filter((one) => groupOf(one) === group));
  const rows = groups.map((group) => {
    const [{ kind, platform, ghc }] = group as [SeenPackage];
    const apps = [...new Set(group.flatMap(({ usedBy }) => usedBy))].sort();
    const newest = Math.max(...group.map(({ modified }) => Date.parse(modified)));
    const oldest = Math.min(...group.map(({ modified }) => Date.parse(modified)));
    const age = (at: number) => inWords(Date.now() - at);
    return [
      ...[kind, platform ?? '-', ghc ?? '-', String(group.length), inBytes(amountOf(group).bytes)],
      newest === oldest ? age(newest) : `${age(newest)} to ${age(oldest)}`,
      apps.slice(0, 5).join(', ') + (apps.length > 5 ? ` and ${apps.length - 5} more` : '') || '-',
      String(group.filter((one) => one.unusable !== undefined).length || '-'),
    ];
  });
  return [
    `s3://${bucket}/${place} (${teams.join(', ')}): ${sizeOf(all)}`,
    ...(rows.length > 0 ? [renderTable(['kind', 'platform', 'GHC', 'files', 'size', 'age', 'used by', 'of no use'], rows)] : []),
    ...unknown.map((why) => `note: ${why}: it cannot be told what is of no use`),
  ].join('\n');
}

const groupOf = ({ kind, platform, ghc }: SeenPackage): string => [kind, platform, ghc].join('\n');

function renderPrune({ bucket, due, soaking, packages: all }: Stock): string {
  const why = new Map(all.map(({ key, unusable }) => [key, unusable ?? '']));
  const rows = [
    ...due.map(({ key }) => ['remove', key, why.get(key) ?? '']),
    ...soaking.map(({ key }) => ['rests', key, why.get(key) ?? '']),
  ];
  return rows.length === 0 ? `${bucket}: an app may use all of it` : renderTable(['', 'package', 'why'], rows);
}

const sizeOf = (all: readonly StoredPackage[]): string => `${counted(all.length, 'package')} (${inBytes(amountOf(all).bytes)})`;
