import { gzipSync } from 'node:zlib';
import { Header } from 'tar';

/** A file to be: content and whether it is executable. */
export interface FileSpec {
  readonly content: string;
  readonly executable?: boolean;
}

/** A gzipped tarball made in memory, the same bytes every time: nothing of this machine (names, times) enters it. */
export function tarball(files: Readonly<Record<string, FileSpec>>): Buffer {
  const blocks: Buffer[] = [];
  const directories = new Set<string>();
  const add = (path: string, type: 'File' | 'Directory', mode: number, content: Buffer) => {
    const header = new Header({ path, type, mode, size: content.length, mtime: new Date(0), uid: 0, gid: 0 });
    const block = Buffer.alloc(512);
    header.encode(block);
    blocks.push(block, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  };
  for (const [path, { content, executable }] of Object.entries(files)) {
    const parts = path.split('/').slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      const directory = `${parts.slice(0, depth).join('/')}/`;
      if (!directories.has(directory)) add(directory, 'Directory', 0o755, Buffer.alloc(0));
      directories.add(directory);
    }
    add(path, 'File', executable ? 0o755 : 0o644, Buffer.from(content));
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}
