import { readFileSync } from 'node:fs';
import { DEFAULT_GHC } from '../../../lib/smoke/archive.js';
import { tarball, type FileSpec } from '../../../lib/tarball.js';

/** Halcyon's default version of cabal-install; part of its archive's name. */
const DEFAULT_CABAL = '1.20.0.3';

const program = (name: string): FileSpec => ({
  content: readFileSync(new URL(`./toolchain/${name}`, import.meta.url), 'utf8'),
  executable: true,
});

/** One line of fifteen fields: format, platform, base, and the version of the tool at its own place. */
function tag(platform: string, field: number, version: string): FileSpec {
  const fields = ['1', platform, '/app', ...Array<string>(12).fill('')];
  fields[field - 1] = version;
  return { content: `${fields.join('\t')}\n` };
}

/** The archives, by key below the bucket's prefix, with which Halcyon builds a whole app without GHC; see the programs for what they do. */
export const toolchain = (platform: string): ReadonlyMap<string, Buffer> =>
  new Map([
    [
      `${platform}/halcyon-ghc-${DEFAULT_GHC}.tar.gz`,
      tarball({ '.halcyon-tag': tag(platform, 9, DEFAULT_GHC), 'bin/ghc': program('ghc'), 'bin/ghc-pkg': program('ghc-pkg') }),
    ],
    [
      `${platform}/halcyon-cabal-${DEFAULT_CABAL}.tar.gz`,
      tarball({ '.halcyon-tag': tag(platform, 11, DEFAULT_CABAL), 'bin/cabal': program('cabal') }),
    ],
  ]);
