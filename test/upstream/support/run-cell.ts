import { networkOf } from '../../../lib/network/network.js';
import { randomBytes } from 'node:crypto';
import { desiredConfigVars, keyPrefix } from '../../../lib/contract/index.js';
import { planBuildpacks } from '../../../lib/heroku/buildpacks.plan.js';
import { DEFAULT_GHC, installKey, installTree, labelOf, platformOf, sourceHash, sourceTree } from '../../../lib/smoke/archive.js';
import { buildOn, type Built } from '../../../lib/smoke/build.client.js';
import { configVarProof, expectedConfigVars } from '../../../lib/smoke/config-vars.plan.js';
import { runScript } from '../../../lib/smoke/dyno.client.js';
import { Objects } from '../../../lib/smoke/objects.client.js';
import { openPage } from '../../../lib/smoke/page.client.js';
import type { Proof } from '../../../lib/smoke/report.js';
import { attemptProof, attempts, plantedKeys, type Attempt } from '../../../lib/smoke/requests.plan.js';
import { createShortLived, smokeName } from '../../../lib/smoke/short-lived.client.js';
import { dynoScript } from '../../../lib/smoke/script.js';
import { tarball } from '../../../lib/tarball.js';
import type { LogEntry } from '../../../sandbox/index.js';
import { accessOfCell, looksFirst, type Cell } from './cells.js';
import type { Rig } from './rig.js';

const STACK = 'heroku-24';
export const HASKELL_ON_HEROKU = 'https://github.com/mietek/haskell-on-heroku';

/** All that a cell showed. */
export interface Outcome {
  readonly cell: Cell;
  readonly buildpacks: readonly string[];
  /** Of a source whose archive is not there yet; undefined where the cell {@link looksFirst} not. */
  readonly first?: Built;
  /** Of the same source, with the archive planted; undefined in mode `public`, which looks in no bucket of ours. */
  readonly second?: Built;
  /** What one-off dynos did with Halcyon's own S3 functions. */
  readonly proofs: readonly Proof[];
  readonly dynoLines: readonly string[];
  /** `found`, or what the app's URL said. */
  readonly page: string;
  /** Requests to S3 by the cell's key, in order; without a key, those to any bucket while the cell ran. */
  readonly requests: readonly LogEntry[];
  readonly archive: string;
  readonly label: string;
  readonly hash: string;
  readonly userArn?: string;
  readonly bucket?: string;
  /** What the guide says of each request: operation, resource, ACL, status. */
  readonly expected: readonly Expected[];
  /** Whether the secret is in any log of build or dyno. */
  readonly leaked: boolean;
  readonly seconds: number;
}

interface Expected {
  readonly operation: string;
  readonly resource: string;
  readonly acl?: string;
  readonly status: number;
}

/**
 * Take one cell through Halcyon's whole life: build without an archive, build with the archive, page, S3 functions on a one-off dyno.
 * @param options.resign - `false`: without our buildpack, whatever the cell says. Default: with it where signing is version 4.
 */
export async function runCell(rig: Rig, cell: Cell, options: { resign?: boolean } = {}): Promise<Outcome> {
  const began = Date.now();
  const { heroku, sandbox } = rig;
  const { storage, key, userArn, aws } = await rig.ground(cell);
  const resign = options.resign ?? cell.signing === 4;
  const plan = planBuildpacks([HASKELL_ON_HEROKU], {
    signing: resign ? { version: 4, buildpackUrl: rig.buildpackUrl } : { version: 2 },
    ours: (url) => url === rig.buildpackUrl,
    install: { enabled: false, url: HASKELL_ON_HEROKU },
  });
  const name = smokeName();
  const nonce = randomBytes(8).toString('hex');
  const set = Object.entries(desiredConfigVars(storage, key)).filter((entry): entry is [string, string] => entry[1] !== null);
  const app = await createShortLived(heroku, { name, stack: STACK, buildpacks: plan.urls, configVars: Object.fromEntries(set) });

  const files = sourceTree(name, nonce);
  const install = { platform: platformOf(STACK)!, ghc: DEFAULT_GHC, label: labelOf(name), hash: sourceHash(files) };
  const archive = `${keyPrefix(storage.prefix)}${installKey(install)}`;
  const build = (version: string) => buildOn(heroku, name, tarball(files), { version, say: () => {} });
  const first = looksFirst(cell) ? await build('first') : undefined;

  const mark = `mark-${randomBytes(4).toString('hex')}`;
  const dyno = (script: string, after: Built) =>
    runScript(heroku, name, script, { mark, timeToLive: 120, ...(after.release ? { release: after.release.version } : {}) });
  let proofs: Proof[];
  let tried: Attempt[] = [];
  let second: Built | undefined;
  let page: string;
  let dynoLines: readonly string[];
  const access = accessOfCell(cell);
  const seen = expectedConfigVars(storage, key?.accessKeyId);
  if (access === undefined || aws === undefined || storage.bucket === undefined) {
    const run = await dyno(dynoScript(mark, seen, []), first!);
    dynoLines = run.lines;
    proofs = [configVarProof('dyno', run.seen)];
    page = await openPage(app.webUrl, nonce, { network: networkOf(), timeoutMs: 0 });
  } else {
    const ground = { access, prefix: storage.prefix, acl: storage.acl ?? 'private', run: name, others: storage.prefix ? ['beta'] : [] };
    const objects = new Objects(aws, storage.bucket);
    const others = ground.others.map((prefix) => `${prefix}/${name}/present`);
    await Promise.all([...plantedKeys(ground), ...others].map((path) => objects.put(path, 'smoke\n')));
    await objects.put(archive, tarball(installTree(install, name, nonce)));
    second = await build('second');
    await heroku.scale(name, 'web', 1).catch(() => undefined); // a buildpack alone has no web process
    page = await openPage(app.webUrl, nonce, { network: networkOf(), timeoutMs: second.log.deployed === undefined ? 0 : 90_000 });
    tried = attempts(ground);
    const run = await dyno(dynoScript(mark, seen, tried), second);
    dynoLines = run.lines;
    proofs = [configVarProof('dyno', run.seen), ...tried.map((attempt, number) => attemptProof(attempt, run.outcomes.get(number)))];
  }
  await heroku.deleteApp(name);
  const requests = sandbox.aws
    .log()
    .filter(
      (entry) => entry.service === 's3' && (key === undefined ? entry.resource?.includes(name) : entry.accessKeyId === key.accessKeyId),
    );
  const logs = [...(first?.log.lines ?? []), ...(second?.log.lines ?? []), ...dynoLines].join('\n');
  return {
    expected:
      storage.bucket === undefined
        ? []
        : expectedRequests(storage.bucket, `${keyPrefix(storage.prefix)}${install.platform}`, archive, tried, first !== undefined),
    leaked: key !== undefined && logs.includes(key.secretAccessKey),
    ...{ cell, buildpacks: plan.urls, first, second, proofs, dynoLines, page, requests, archive, userArn, bucket: storage.bucket },
    ...{ label: install.label, hash: install.hash, seconds: (Date.now() - began) / 1000 },
  };
}

/** A build without the archive looks for it, then for a compiler; with it, it takes it and asks for nothing else. */
function expectedRequests(bucket: string, platform: string, archive: string, tried: readonly Attempt[], looked: boolean): Expected[] {
  const get = (key: string, status: number): Expected => ({ operation: 'GetObject', resource: `${bucket}/${key}`, status });
  return [
    ...(looked ? [get(archive, 404), get(`${platform}/halcyon-ghc-${DEFAULT_GHC}.tar.gz`, 404)] : []),
    get(archive, 200),
    ...tried.flatMap(({ operation, key, acl, expected }): Expected[] => {
      if (expected === 'no request') return [];
      const name = (
        {
          get: 'GetObject',
          list: 'ListObjects',
          put: 'PutObject',
          archive: 'PutObject',
          delete: 'DeleteObject',
          clean: 'DeleteObject',
        } as const
      )[operation];
      const status = { allowed: name === 'DeleteObject' ? 204 : 200, denied: 403, absent: 404, refused: 403 }[expected];
      return [
        { operation: name, resource: operation === 'list' ? bucket : `${bucket}/${key}`, ...(acl === undefined ? {} : { acl }), status },
      ];
    }),
  ];
}
