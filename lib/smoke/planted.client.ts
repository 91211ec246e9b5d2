import { halcyonBucket, keyPrefix } from '../contract/index.js';
import { installKey, installTree, labelOf, sourceHash, sourceTree, type Install } from './archive.js';
import { buildFor, type Builds } from './build.client.js';
import type { Run } from './context.js';
import type { BuildLog } from './log.js';
import { plantedProofs, publicProofs } from './proofs.plan.js';
import { plantedKeys, runPrefixes } from './requests.plan.js';
import { noteOf } from './leftover-objects.client.js';
import { tarball } from '../tarball.js';

/** Plant the objects that requests are tried on. */
export async function plantObjects({ store, made, nonce }: Run): Promise<void> {
  if (store === undefined) return;
  made.prefixes(runPrefixes(store.scope));
  // One after another: none may still be on its way when an error sets off the removal.
  for (const key of plantedKeys(store.scope)) await store.objects.put(key, nonce);
}

/** Where builds look for archives. */
export type Place = Pick<Install, 'platform' | 'ghc'>;

/**
 * Build our own source, with the archive planted that its build will look for; without private storage there is nothing to plant.
 * @param guess - where builds look, as far as can be told before.
 */
export async function buildPlanted(run: Run, app: string, guess: Place): Promise<Builds & { readonly place: Place }> {
  const tree = sourceTree(run.name, run.nonce);
  const source = tarball(tree);
  const package_ = { label: labelOf(run.name), hash: sourceHash(tree) };
  await plantInstall(run, { ...package_, ...guess });
  const first = await buildFor(run, app, source, 'planted');
  if (run.store === undefined) return { builds: [first], last: first, proofs: [first.proof, ...publicProofs(first.log)], place: guess };

  const place = placeAsked(first.log, package_) ?? guess;
  const builds = [first];
  if (place.platform !== guess.platform || place.ghc !== guess.ghc) {
    // The stack is not the system we took it for; the build said where it looks.
    await plantInstall(run, { ...package_, ...place });
    builds.push(await buildFor(run, app, source, 'planted-again'));
  }
  const last = builds.at(-1) ?? first;
  const { mode, publicStorage, bucket = '', prefix } = run.storage;
  const proofs = plantedProofs(last.log, {
    ...package_,
    storage: mode === 'upload' && publicStorage === 'fallback' ? 'private and public' : 'private',
    archive: `s3://${halcyonBucket(bucket, prefix)}/${installKey({ ...package_, ...place })}`,
  });
  return { builds, last, proofs: [...builds.map(({ proof }) => proof), ...proofs], place };
}

async function plantInstall(run: Run, install: Install): Promise<void> {
  if (run.store === undefined || install.platform === '') return;
  run.say('planting a prebuilt archive');
  await run.store.objects.put(await noteInstall(run, install), tarball(installTree(install, run.name, run.nonce)));
}

/** Write down an archive that is about to be, so that a later run finds it should this one be cut off. @returns its key. */
export async function noteInstall({ name, made, storage, store }: Run, install: Install): Promise<string> {
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
