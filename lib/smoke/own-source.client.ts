import { stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { KitError } from '../errors.js';
import { buildFor, type Builds } from './build.client.js';
import type { Run } from './context.js';
import { proof, publicProofs } from './proofs.plan.js';

/** Build a team's own source, a directory, on its own app. */
export async function buildOwnSource(run: Run, app: string, directory: string): Promise<Builds> {
  const built = await buildFor(run, app, await packSource(directory), 'own source');
  const { storage, deployed, buildpackOnly } = built.log;
  const seen = storage?.includes('private') ? 'private' : (storage ?? 'nothing said of it');
  return {
    builds: [built],
    last: built,
    proofs: [
      built.proof,
      ...(run.store ? [proof('build finds the storage', 'private', seen)] : publicProofs(built.log)),
      proof('app is deployed', 'yes', deployed ? 'yes' : buildpackOnly ? 'buildpack only' : 'no'),
    ],
  };
}

/** Never part of a source: version control, and what builds leave behind. */
const LEFT_OUT = /(^|\/)(\.git|\.gitmodules|\.ghc|\.cabal|\.cabal-sandbox|cabal\.sandbox\.config|dist|dist-newstyle|\.stack-work)(\/|$)/;

/**
 * A directory as a source tarball, in memory: written into the directory it would become part of itself.
 * @throws KitError `source-unusable`.
 * @internal
 */
export async function packSource(directory: string): Promise<Buffer> {
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory())
    throw new KitError('source-unusable', `source ${directory} is not a directory; give the one that holds the .cabal file`);
  const { create } = await import('tar');
  return buffer(create({ gzip: true, portable: true, cwd: directory, filter: (path) => !LEFT_OUT.test(path.replace(/^\.\//, '')) }, ['.']));
}
