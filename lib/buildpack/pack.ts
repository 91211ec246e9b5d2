import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { Header } from 'tar';
import { KitError } from '../errors.js';

/** Time stamp of every file: GNU tar warns of 1970. */
const MTIME = new Date('2000-01-01T00:00:00Z');
/** What goes in: what runs, so that a word changed in the README moves no app to another version. */
const FOLDERS = ['bin', 'shim'];
/** Modes are not taken from the file system, where a umask or Windows may have changed them. */
const EXECUTABLE = /^(bin\/|shim\/curl$)/;

/** The SigV4 buildpack as a .tgz that Heroku can install: the same bytes for the same sources, wherever it is packed. */
export async function packBuildpack(dir: string = buildpackDir()): Promise<{ tgz: Buffer; sha256: string }> {
  const names: string[] = [];
  for (const folder of FOLDERS) names.push(...(await readdir(join(dir, folder))).map((name) => `${folder}/${name}`));
  const blocks = await Promise.all(names.sort().map(async (name) => entry(name, await readFile(join(dir, name)))));
  const tgz = storedGzip(Buffer.concat([...blocks, Buffer.alloc(1024)]));
  return { tgz, sha256: createHash('sha256').update(tgz).digest('hex') };
}

/** `buildpack/` of this package, from `lib/` and from `dist/lib/`. */
function buildpackDir(): string {
  const dir = ['../../buildpack', '../../../buildpack']
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find((path) => existsSync(join(path, 'bin/compile')));
  if (dir === undefined)
    throw new KitError('buildpack-missing', 'the folder buildpack/ is not in this installation; install halcyon-kit again');
  return dir;
}

function entry(path: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const mode = EXECUTABLE.test(path) ? 0o755 : 0o644;
  new Header({ path, mode, size: content.length, mtime: MTIME, type: 'File', uid: 0, gid: 0 }).encode(header);
  return Buffer.concat([header, content, Buffer.alloc(-content.length & 511)]);
}

/** gzip (RFC 1952) of stored blocks: what zlib makes of the same bytes differs between versions of Node. */
function storedGzip(data: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])];
  for (let at = 0; at < data.length; at += 0xffff) {
    const block = data.subarray(at, at + 0xffff);
    const head = Buffer.alloc(5);
    head.writeUInt8(at + block.length === data.length ? 1 : 0);
    head.writeUInt16LE(block.length, 1);
    head.writeUInt16LE(~block.length & 0xffff, 3);
    parts.push(head, block);
  }
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(crc32(data));
  tail.writeUInt32LE(data.length, 4);
  return Buffer.concat([...parts, tail]);
}
