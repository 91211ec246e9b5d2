import { createHash } from 'node:crypto';
import type { FileSpec } from '../tarball.js';

/**
 * A source tree and the finished install archive that Halcyon looks for before it would touch GHC (facts of the Halcyon sources, 2019).
 * Pure: the same label and nonce give the same bytes.
 */

/** Halcyon's default compiler; part of the archive's path. */
export const DEFAULT_GHC = '7.8.4';

/** Platform directory of a Heroku stack, as Halcyon reads it from /etc/os-release: heroku-24 is Ubuntu 24.04. Undefined for others. */
export function platformOf(stack: string): string | undefined {
  const year = /^heroku-(\d\d)$/.exec(stack)?.[1];
  return year === undefined ? undefined : `linux-ubuntu-${year}.04-x86_64`;
}

/** Name and version of the package: its own for each run, since an upload removes older archives of the same label. */
export const labelOf = (name: string): string => `${name}-1.0`;

/**
 * Source tree of a package `name` whose page says `nonce`.
 * File names are lower case, so that every collation sorts them alike: the source hash depends on their order.
 */
export function sourceTree(name: string, nonce: string): Record<string, FileSpec> {
  return {
    'cabal.config': { content: 'constraints: base ==4.7.0.2\n' },
    'main.hs': { content: program(nonce) },
    [`${name}.cabal`]: {
      content: [
        `name:          ${name}`,
        'version:       1.0',
        'build-type:    Simple',
        'cabal-version: >= 1.8',
        '',
        `executable ${name}`,
        '  main-is:       main.hs',
        '  build-depends: base',
        '',
      ].join('\n'),
    },
  };
}

/**
 * Halcyon's hash of a source tree: `openssl sha1` of each file, those lines sorted, then the same of that text.
 * @returns 40 hexadecimal digits; archives are named by the first 7.
 */
export function sourceHash(files: Readonly<Record<string, FileSpec>>): string {
  const lines = Object.entries(files).map(([path, { content }]) => `SHA1(./${path})= ${sha1(content)}`);
  return sha1(`${lines.sort().join('\n')}\n`);
}

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

/** What identifies an install archive. */
export interface Install {
  readonly platform: string;
  readonly ghc: string;
  /** NAME-VERSION. */
  readonly label: string;
  /** All 40 digits. */
  readonly hash: string;
}

/** Where builds look for archives. */
export type Place = Pick<Install, 'platform' | 'ghc'>;

/** Key of the archive below the bucket's prefix. */
export const installKey = ({ platform, ghc, label, hash }: Install): string =>
  `${platform}/ghc-${ghc}/halcyon-install-${hash.slice(0, 7)}-${label}.tar.gz`;

/** Content of the install archive: an executable that serves a page with `nonce`, and what Halcyon checks. */
export function installTree(install: Install, name: string, nonce: string): Record<string, FileSpec> {
  const tag = ['1', install.platform, '/app', '/app', install.label, install.hash, '', '', install.ghc, '', '', '', '', '', ''];
  return {
    '.halcyon-tag': { content: `${tag.join('\t')}\n` },
    [`app/bin/${name}`]: { content: program(nonce), executable: true },
    [`app/.halcyon/${install.label}/executable`]: { content: `${name}\n` },
    [`app/.halcyon/${install.label}/data-dir`]: { content: `/app/share/${install.label}\n` },
  };
}

/**
 * A Haskell program that prints the nonce; and, run as a script, a web server in Perl that serves it: GHC ignores the first line and
 * takes the Perl for a comment. What perl-base brings is on every Heroku stack and every Debian, without installing anything.
 */
const program = (nonce: string): string => `#!/usr/bin/perl
{-
0;
use strict;
use warnings;
use IO::Socket::INET;

$SIG{TERM} = sub { exit 0 };
$SIG{PIPE} = 'IGNORE';
my $listener = IO::Socket::INET->new(LocalAddr => '0.0.0.0', LocalPort => $ENV{PORT}, Listen => 16, ReuseAddr => 1)
  or die "cannot listen on port $ENV{PORT}: $@\\n";
my $page = "<!doctype html><title>halcyon smoke</title><p>${nonce}\\n";
while (1) {
  my $client = $listener->accept or next;
  my $alive = eval {
    local $SIG{ALRM} = sub { die };
    alarm 10;
    while (defined(my $line = <$client>)) { last if $line =~ /^\\r?\\n$/ }
    alarm 0;
    1;
  };
  print $client "HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nContent-Length: " . length($page) . "\\r\\nConnection: close\\r\\n\\r\\n" . $page
    if $alive;
  close $client;
}
}
__END__
-}
main :: IO ()
main = putStrLn "${nonce}"
`;
