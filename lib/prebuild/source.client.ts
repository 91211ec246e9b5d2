import { execFile } from 'node:child_process';
import { Parser } from 'tar';
import { KitError } from '../errors.js';
import { packSource } from '../smoke/build.client.js';
import { constraintsOf } from './prebuild.plan.js';

/** A source, packed once: what is prebuilt and what is deployed afterwards are the same bytes, and so have the same source hash. */
export interface Source {
  readonly from: string;
  readonly tarball: Buffer;
  readonly constraints: ReadonlyMap<string, string> | undefined;
}

/**
 * Of a directory as it is, or of a commit of the git repository there.
 * @throws KitError `source-unusable`.
 */
export async function readSource(directory: string, commit?: string): Promise<Source> {
  const tarball = commit === undefined ? await packSource(directory) : await archive(directory, commit);
  const from = commit === undefined ? directory : `${commit} of ${directory}`;
  const files = await read(tarball, /^(cabal\.config|Procfile|\.gitmodules|[^/]+\.cabal)$/);
  const unusable = (why: string) => new KitError('source-unusable', `source ${from} ${why}`);
  if (![...files.keys()].some((name) => name.endsWith('.cabal'))) throw unusable('has no .cabal file; give the directory that holds it');
  if (/^release\s*:/m.test(files.get('Procfile') ?? ''))
    throw unusable(
      'has a release command in its Procfile, which would run, and fail, before there is anything to run; prebuild it without that line: the packages it depends on are the same, and its own deployment builds the rest',
    );
  if (commit !== undefined && files.has('.gitmodules'))
    throw unusable('has submodules, which `git archive` leaves out; give a checkout of it with --source alone');
  return { from, tarball, constraints: constraintsOf(files.get('cabal.config')) };
}

function archive(directory: string, commit: string): Promise<Buffer> {
  const args = ['-C', directory, 'archive', '--format=tar.gz', '--end-of-options', commit];
  return new Promise((resolve, reject) => {
    execFile('git', args, { encoding: 'buffer', maxBuffer: 1 << 30 }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const why = stderr.toString().trim() || error.message;
      reject(new KitError('source-unusable', `commit ${commit} of ${directory} cannot be packed: ${why}`, { cause: error }));
    });
  });
}

/** Files of a tarball at its top, by name. */
async function read(tarball: Buffer, wanted: RegExp): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  await new Promise<void>((resolve, reject) => {
    const parser = new Parser({
      onReadEntry(entry) {
        const name = entry.path.replace(/^\.\//, '');
        if (!wanted.test(name)) return void entry.resume();
        const chunks: Buffer[] = [];
        entry.on('data', (chunk: Buffer) => chunks.push(chunk));
        entry.on('end', () => found.set(name, Buffer.concat(chunks).toString('utf8')));
      },
    });
    parser.on('end', resolve);
    parser.on('error', reject);
    parser.end(tarball);
  });
  return found;
}
