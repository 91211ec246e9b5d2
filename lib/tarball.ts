import { crc32 } from 'node:zlib';
import { Header } from 'tar';

/** A file to be: content and whether it is executable. */
export interface FileSpec {
  readonly content: string;
  readonly executable?: boolean;
}

/** Time stamp of every file: GNU tar warns of 1970. */
const MTIME = new Date('2000-01-01T00:00:00Z');

/** A .tgz made in memory, the same bytes for the same files everywhere: nothing of this machine (names, times, its zlib) enters it. */
export function tarball(files: Readonly<Record<string, FileSpec>>): Buffer {
  const entries = Object.entries(files).map(([path, { content, executable }]) => entry(path, Buffer.from(content), executable === true));
  return storedGzip(Buffer.concat([...entries, Buffer.alloc(1024)]));
}

function entry(path: string, content: Buffer, executable: boolean): Buffer {
  const header = Buffer.alloc(512);
  const mode = executable ? 0o755 : 0o644;
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
