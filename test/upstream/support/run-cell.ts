import { networkOf } from '../../../lib/network/network.js';
import { randomBytes } from 'node:crypto';
import { desiredConfigVars, keyPrefix } from '../../../lib/contract/index.js';
import { planBuildpacks } from '../../../lib/heroku/buildpacks.plan.js';
import { DEFAULT_GHC, installKey, installTree, labelOf, platformOf, sourceHash, sourceTree } from '../../../lib/smoke/archive.js';
import { buildOn } from '../../../lib/smoke/build.client.js';
import type { Built } from '../../../lib/smoke/causes.plan.js';
import { configVarProof, expectedConfigVars } from '../../../lib/smoke/proofs.plan.js';
import { runScript } from '../../../lib/smoke/dyno.client.js';
import { Objects } from '../../../lib/smoke/objects.client.js';
import { openPage } from '../../../lib/smoke/page.client.js';
import type { Proof } from '../../../lib/smoke/report.js';
import { attemptProof, attempts, plantedKeys, type Attempt } from '../../../lib/smoke/requests.plan.js';
import { shortLivedName } from '../../../lib/smoke/name.js';
import { createShortLived } from '../../../lib/smoke/app.client.js';
import { dynoScript } from '../../../lib/smoke/script.js';
import { tarball } from '../../../lib/tarball.js';
import type { LogEntry } from '../../../sandbox/index.js';
import { accessOfCell, type Cell } from './cells.js';
import type { Rig } from './rig.js';
import { HASKELL_ON_HEROKU } from './upstream.js';

const STACK = 'heroku-24';

/** All that a cell showed. */
export interface Outcome {
  /** Of a source whose archive is not there yet. */
  readonly first: Built;
  /** Of the same source, with the archive planted; undefined in mode `public`, which looks in no bucket of ours. */
  readonly second?: Built;
  /** What one-off dynos did with Halcyon's own S3 functions. */
  readonly proofs: readonly Proof[];
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
}

interface Expected {
  readonly operation: string;
  readonly resource: string;
  readonly acl?: string;
  readonly status: number;
}

/** Take one cell through Halcyon's life: build without an archive, build with the archive, page, S3 functions on a one-off dyno. */
export async function runCell(rig: Rig, cell: Cell): Promise<Outcome> {
  const { heroku, sandbox } = rig;
  const { storage, key, userArn, aws } = await rig.ground(cell);
  const plan = planBuildpacks([HASKELL_ON_HEROKU], {
    signing: cell.signing === 4 ? { version: 4, buildpackUrl: rig.buildpackUrl } : { version: 2 },
    ours: (url) => url === rig.buildpackUrl,
    install: { enabled: false, url: HASKELL_ON_HEROKU },
  });
  const name = shortLivedName('smoke');
  const nonce = randomBytes(8).toString('hex');
  const set = Object.entries(desiredConfigVars(storage, key)).filter((entry): entry is [string, string] => entry[1] !== null);
  const app = await createShortLived(heroku, { name, stack: STACK, buildpacks: plan.urls, configVars: Object.fromEntries(set) });

  const files = sourceTree(name, nonce);
  const install = { platform: platformOf(STACK)!, ghc: DEFAULT_GHC, label: labelOf(name), hash: sourceHash(files) };
  const archive = `${keyPrefix(storage.prefix)}${installKey(install)}`;
  const build = (version: string) => buildOn(heroku, name, tarball(files), { version, say: () => {} });
  const first = await build('first');

  const mark = `mark-${randomBytes(4).toString('hex')}`;
  const dyno = (script: string, after: Built) =>
    runScript(heroku, name, script, { mark, timeToLive: 120, ...(after.release ? { release: after.release.version } : {}) });
  let proofs: Proof[];
  let tried: Attempt[] = [];
  let second: Built | undefined;
  let page: string;
  const access = accessOfCell(cell);
  const seen = expectedConfigVars(storage, key?.accessKeyId);
  if (access === undefined || aws === undefined || storage.bucket === undefined) {
    const run = await dyno(dynoScript(mark, seen, []), first);
    proofs = [configVarProof('dyno', run.seen)];
    page = await openPage(app.webUrl, nonce, { network: networkOf(), timeoutMs: 0 });
  } else {
    const ground = { access, prefix: storage.prefix, acl: storage.acl ?? 'private', run: name, others: storage.prefix ? ['beta'] : [] };
    const objects = new Objects(aws, { name: storage.bucket, account: sandbox.aws.account });
    const others = ground.others.map((prefix) => `${prefix}/${name}/present`);
    await Promise.all([...plantedKeys(ground), ...others].map((path) => objects.put(path, 'smoke\n')));
    await objects.put(archive, tarball(installTree(install, name, nonce)));
    second = await build('second');
    await heroku.scale(name, 'web', 1).catch(() => undefined); // a buildpack alone has no web process
    page = await openPage(app.webUrl, nonce, { network: networkOf(), timeoutMs: second.log.deployed === undefined ? 0 : 90_000 });
    tried = attempts(ground);
    const run = await dyno(dynoScript(mark, seen, tried), second);
    proofs = [configVarProof('dyno', run.seen), ...tried.map((attempt, number) => attemptProof(attempt, run.outcomes.get(number)))];
  }
  await heroku.deleteApp(name);
  const requests = sandbox.aws
    .log()
    .filter(
      (entry) => entry.service === 's3' && (key === undefined ? entry.resource?.includes(name) : entry.accessKeyId === key.accessKeyId),
    );
  return {
    expected:
      storage.bucket === undefined
        ? []
        : expectedRequests(storage.bucket, `${keyPrefix(storage.prefix)}${install.platform}`, archive, tried),
    ...{ first, second, proofs, page, requests, archive, userArn, bucket: storage.bucket, label: install.label, hash: install.hash },
  };
}

/** A build without the archive looks for it, then for a compiler; with it, it takes it and asks for nothing else. */
function expectedRequests(bucket: string, platform: string, archive: string, tried: readonly Attempt[]): Expected[] {
  const get = (key: string, status: number): Expected => ({ operation: 'GetObject', resource: `${bucket}/${key}`, status });
  return [
    get(archive, 404),
    get(`${platform}/halcyon-ghc-${DEFAULT_GHC}.tar.gz`, 404),
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
