import { stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { stripVTControlCharacters } from 'node:util';
import { halcyonBucket, keyPrefix } from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';
import type { Heroku } from '../heroku/heroku.js';
import { settled } from '../heroku/pause.js';
import { redact } from '../io/redaction.js';
import { tarball } from '../tarball.js';
import { installKey, installTree, labelOf, sourceHash, sourceTree, type Install, type Place } from './archive.js';
import type { Built } from './causes.plan.js';
import type { Run } from './context.js';
import { runFor } from './dyno.client.js';
import { noteOf } from './leftovers.client.js';
import { parseBuildLog, storageLines, type BuildLog } from './log.js';
import { plantedProofs, publicProofs } from './proofs.plan.js';
import { proof } from './report.js';
import { plantedKeys, runPrefixes } from './requests.plan.js';
import { buildScript } from './script.js';

/** Plant the objects that requests are tried on. */
export async function plantObjects({ store, made, nonce }: Run): Promise<void> {
  if (store === undefined) return;
  made.prefixes(runPrefixes(store.scope));
  // One after another: none may still be on its way when an error sets off the removal.
  for (const key of plantedKeys(store.scope)) await store.objects.put(key, nonce);
}

/**
 * Build our own source, with the archive planted that its build will look for; without private storage there is nothing to plant.
 * @param guess - where builds look, as far as can be told before. @returns where they do.
 */
export async function buildPlanted(run: Run, app: string, guess: Place): Promise<Place> {
  const { seen, storage } = run;
  const tree = sourceTree(run.name, run.nonce);
  const source = tarball(tree);
  const package_ = { label: labelOf(run.name), hash: sourceHash(tree) };
  await plantInstall(run, { ...package_, ...guess });
  let { log } = await buildFor(run, app, source, 'planted');
  if (run.store === undefined) {
    seen.proofs.push(...publicProofs(log));
    return guess;
  }
  const place = placeAsked(log, package_) ?? guess;
  if (place.platform !== guess.platform || place.ghc !== guess.ghc) {
    // The stack is not the system we took it for; the build said where it looks.
    await plantInstall(run, { ...package_, ...place });
    ({ log } = await buildFor(run, app, source, 'planted-again'));
  }
  const expected = {
    ...package_,
    storage: storage.mode === 'upload' && storage.publicStorage === 'fallback' ? 'private and public' : 'private',
    archive: `s3://${halcyonBucket(storage.bucket ?? '', storage.prefix)}/${installKey({ ...package_, ...place })}`,
  };
  seen.proofs.push(...plantedProofs(log, expected));
  return place;
}

async function plantInstall(run: Run, install: Install): Promise<void> {
  if (run.store === undefined || install.platform === '') return;
  run.say('planting a prebuilt archive');
  await run.store.objects.put(await noteInstall(run, install), tarball(installTree(install, run.name, run.nonce)));
}

/** Write down an archive that is about to be, so that a later run finds it should this one be cut off. @returns its key. */
async function noteInstall({ name, made, storage, store }: Run, install: Install): Promise<string> {
  const key = `${keyPrefix(storage.prefix)}${installKey(install)}`;
  made.key(key);
  await store?.objects.put(noteOf(name, key), new Date().toISOString());
  return key;
}

/** Where the build looked for the install archive of our package. */
function placeAsked({ install }: BuildLog, { label, hash }: Pick<Install, 'label' | 'hash'>): Place | undefined {
  const pattern = /^s3:\/\/.*?([^/]+)\/ghc-([^/]+)\/halcyon-install-([0-9a-f]{7})-(.+)\.tar\.gz$/;
  const [, platform, ghc, digits, package_] = install?.url.match(pattern) ?? [];
  return platform && ghc && digits === hash.slice(0, 7) && package_ === label ? { platform, ghc } : undefined;
}

/** Build a team's own source, a directory, on its own app. */
export async function buildOwnSource(run: Run, app: string, directory: string): Promise<void> {
  const { log } = await buildFor(run, app, await packSource(directory), 'own source');
  const found = log.storage?.includes('private') ? 'private' : (log.storage ?? 'nothing said of it');
  run.seen.proofs.push(
    ...(run.store ? [proof('build finds the storage', 'private', found)] : publicProofs(log)),
    proof('app is deployed', 'yes', log.deployed ? 'yes' : log.buildpackOnly ? 'buildpack only' : 'no'),
  );
}

/** Never part of a source: version control, and what builds leave behind. */
const LEFT_OUT = /(^|\/)(\.git|\.gitmodules|\.ghc|\.cabal|\.cabal-sandbox|cabal\.sandbox\.config|dist|dist-newstyle|\.stack-work)(\/|$)/;

/**
 * A directory as a source tarball, in memory: written into the directory it would become part of itself.
 * @throws KitError `source-unusable`.
 */
export async function packSource(directory: string): Promise<Buffer> {
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory())
    throw new KitError('source-unusable', `source ${directory} is not a directory; give the one that holds the .cabal file`);
  const { create } = await import('tar');
  return buffer(create({ gzip: true, portable: true, cwd: directory, filter: (path) => !LEFT_OUT.test(path.replace(/^\.\//, '')) }, ['.']));
}

/** Of the dyno that builds: GHC wants memory. */
const SIZE = 'performance-l';

/** A source nobody has built: buildpack only, built and uploaded on a dyno, found by the next build. */
export async function provePrebuild(run: Run, app: string, place: Place): Promise<void> {
  const { proofs } = run.seen;
  const tree = sourceTree(run.name, `${run.nonce}-prebuilt`);
  const source = tarball(tree);
  const label = labelOf(run.name);
  await noteInstall(run, { ...place, label, hash: sourceHash(tree) });
  const first = await buildFor(run, app, source, 'unbuilt');
  proofs.push(proof('a source nobody has built', 'buildpack only', first.log.buildpackOnly ? 'buildpack only' : 'deployed'));
  run.say('building on a one-off dyno');
  const dyno = await runFor(run, app, buildScript(run.name), { timeToLive: 3600, release: first.release?.version, size: SIZE });
  const uploaded = storageLines(dyno.lines).find(({ action, url }) => action === 'Uploading' && url.includes('/halcyon-install-'));
  const ended = `exit ${dyno.status ?? 'unknown'}, ${uploaded?.outcome ?? 'nothing uploaded'}`;
  proofs.push(proof('one-off dyno builds and uploads', 'exit 0, done', ended));
  const { log } = await buildFor(run, app, source, 'prebuilt');
  const found = `${log.deployed ?? 'not deployed'}, ${log.install?.outcome ?? 'no download'}`;
  proofs.push(proof('next build finds what was uploaded', `${label}, done`, found));
}

/** A build of a smoke deploy's; what it uploads of the run's own package is noted. @param what - which of its builds this is. */
async function buildFor(run: Run, app: string, source: Buffer, what: string): Promise<Built> {
  const { name, heroku, signal, made, storage, say, trace, seen } = run;
  say(`building (${what})`);
  const built = await buildOn(heroku, app, source, { version: `${name}-${what}`, say: trace, signal });
  made.uploads(built.log.requests, storage.bucket);
  seen.builds.push(built);
  seen.proofs.push(proof(`build and release succeed (${what})`, 'succeeded', built.release?.status ?? built.build.status));
  return built;
}

/** Heroku ends a build after 15 minutes, and a release command may follow. */
const PATIENCE_MS = 30 * 60_000;

/** Build `source` and follow it to the end of its release. @param say - the log's latest line, as it comes. */
export async function buildOn(
  heroku: Heroku,
  app: string,
  source: Buffer,
  options: { version: string; say: (line: string) => void; signal?: AbortSignal },
): Promise<Built> {
  const { say, signal } = options;
  const { id: started, outputStreamUrl: url } = await heroku.startBuild(app, source, { version: options.version });
  let text = '';
  const hear = (chunk: string) => {
    text += chunk;
    const line = stripVTControlCharacters(text.slice(text.lastIndexOf('\n', text.length - 2) + 1)).trim();
    if (line !== '') say(redact(line));
  };
  /** @returns whether it was heard to its end. */
  const follow = async (): Promise<boolean> => {
    text = '';
    try {
      if (url) await heroku.followStream(url, hear, signal);
      return true;
    } catch (error) {
      if (signal?.aborted || !isKitError(error, 'heroku-unavailable')) throw error;
      return false;
    }
  };
  // The build goes on without a listener.
  const whole = await follow();

  // The stream may end before the status is known.
  const build = (await settled(() => heroku.build(app, started), PATIENCE_MS, signal)) ?? timeout('build');
  const id = build.status === 'succeeded' ? build.releaseId : undefined;
  const release = id && ((await settled(() => heroku.release(app, id), PATIENCE_MS, signal)) ?? timeout('release'));
  if (!whole) await follow();
  return { build, ...(release ? { release } : {}), log: parseBuildLog(text) };
}

const timeout = (what: string): never => {
  throw new KitError('smoke-timeout', `the ${what} is still pending after 30 minutes; see \`heroku releases\` and run again`);
};
