import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeleteUserPolicyCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import type * as ConfigVars from '../../lib/contract/config-vars.js';
import { userName, type Access, type ConfigVarName } from '../../lib/contract/index.js';
import { silentIo, type IoHost } from '../../lib/io/io-host.js';
import { currentKey } from '../../lib/smoke/app.client.js';
import { openPage } from '../../lib/smoke/page.client.js';
import { SMOKE_OBJECT_PREFIX } from '../../lib/smoke/requests.plan.js';
import { smokePrincipal, smokeTeam, type SmokeReport } from '../../lib/smoke/smoke.js';
import { noteOf, sweepApps, sweepObjects } from '../../lib/smoke/leftovers.client.js';
import { principalIn } from '../support/principals.js';
import { startGround, type SmokeGround } from './smoke-ground.js';

/** What the contract gets wrong: config vars as a faulty kit would write them. */
let faults: Partial<Record<ConfigVarName, string | null>> = {};
vi.mock('../../lib/contract/config-vars.js', async (original) => {
  const real = await original<typeof ConfigVars>();
  const desiredConfigVars: typeof real.desiredConfigVars = (...given) => ({ ...real.desiredConfigVars(...given), ...faults });
  return { ...real, desiredConfigVars };
});

let ground: SmokeGround;
beforeAll(async () => {
  ground = await startGround();
});
afterAll(() => ground?.stop());
afterEach(async () => {
  // Whatever a test was about: nothing is ever left behind.
  expect(await ground.leftovers()).toEqual([]);
});

const failed = (reports: readonly SmokeReport[]) =>
  reports.flatMap(({ mode, proofs }) => proofs.filter(({ ok }) => !ok).map((proof) => ({ mode, ...proof })));

/** Remove what is in the shared bucket. @returns the keys. */
async function takeAway(): Promise<string[]> {
  const keys = await ground.leftovers();
  const s3 = await ground.aws.s3();
  for (const Key of keys) await s3.send(new DeleteObjectCommand({ Bucket: 'common-bucket', Key }));
  return keys;
}

/** Keeps everything that is said. */
function listening(): { io: IoHost; said: string[] } {
  const said: string[] = [];
  const hear = (text?: string) => void said.push(text ?? '');
  const step = (title: string) => (hear(title), { update: hear, done: hear, fail: hear });
  return { io: { info: hear, debug: hear, warn: hear, step }, said };
}

/** Requests that Halcyon itself made around an upload and a deletion, with the app's key. */
const made = (access: Access) =>
  ground.sandbox.aws
    .log()
    .filter(({ resource, principal }) => resource?.endsWith('/archived') && principal.includes(`/halcyon/${access}/`))
    .map(({ operation, status }) => `${operation} ${status}`);

describe('a team with a bucket of its own', () => {
  test('each mode is proven, and no secret is in anything said or reported', async () => {
    const { io, said } = listening();
    const reports = await smokeTeam(ground.context({ io }), ground.team('payments'));
    expect(failed(reports)).toEqual([]);
    expect(reports.map(({ mode, access }) => access ?? mode)).toEqual(['upload', 'read-only', 'append-only', 'public']);
    expect((['upload', 'append-only', 'read-only'] as const).map(made)).toEqual([
      ['PutObject 200', 'DeleteObject 204'],
      ['PutObject 200'],
      [],
    ]);
    for (const { evidence } of reports) expect(evidence).toMatchObject({ platform: 'linux-ubuntu-24.04-x86_64', leftovers: [] });
    const everything = `${said.join('\n')}\n${JSON.stringify(reports)}\n${JSON.stringify(ground.sandbox.heroku.log())}`;
    expect(said.some((line) => line.includes('Downloading s3://'))).toBe(true);
    for (const secret of [...ground.secrets, ground.sandbox.heroku.token]) expect(everything).not.toContain(secret);
  });
});

describe('two teams in a shared bucket', () => {
  test('each is proven in its prefix and refused the other’s; what a dyno prebuilds is found by the next build', async () => {
    const reports = [
      ...(await smokeTeam(ground.context(), ground.team('search'), { modes: ['upload'], prebuild: true })),
      ...(await smokeTeam(ground.context(), ground.team('search'), { modes: ['read-only'] })),
    ];
    expect(failed(reports)).toEqual([]);
    const proven = reports.map(({ proofs }) => proofs.map(({ proof, observed }) => `${proof}: ${observed}`));
    for (const proofs of proven) {
      expect(proofs).toEqual(
        expect.arrayContaining(['upload to ads/: denied', 'download beside its prefix: denied', 'list beside its prefix: denied']),
      );
    }
    expect(proven[0]).toContain('one-off dyno builds and uploads: exit 0, done');
    // The GHC that was made on the way serves the team's own builds; the run's package is gone.
    expect(await takeAway()).toEqual([expect.stringMatching(/^search\/.*\/halcyon-ghc-7\.8\.4\.tar\.gz$/)]);
  });
});

describe('a config var that the kit gets wrong fails the proof, and is named', () => {
  const prove = async (app: string, wrong: typeof faults) => {
    faults = wrong;
    try {
      ground.sandbox.aws.clearLog();
      const [report] = await smokeTeam(ground.context(), ground.team('payments'), { app });
      return { report: report!, failing: failed([report!]).map(({ proof, observed }) => `${proof}: ${observed}`) };
    } finally {
      faults = {};
    }
  };
  test.each([
    ['payments-api', { HALCYON_NO_UPLOAD: null }, 'Halcyon archives what it built: denied', ['PutObject 403']],
    [
      'payments-archive',
      { HALCYON_NO_CLEAN_PRIVATE_STORAGE: null },
      'Halcyon deletes older archives: denied',
      ['PutObject 200', 'DeleteObject 403'],
    ],
    [
      'payments-builder',
      { HALCYON_S3_ACL: 'public-read' },
      'upload with ACL bucket-owner-full-control: denied',
      ['PutObject 403', 'DeleteObject 204'],
    ],
    [
      'payments-builder',
      { HALCYON_S3_ACL: null },
      'upload with ACL bucket-owner-full-control: denied',
      ['PutObject 403', 'DeleteObject 204'],
    ],
    ['payments-builder', { HALCYON_NO_UPLOAD: '1' }, 'Halcyon archives what it built: no request', []],
    ['payments-api', { HALCYON_NO_PUBLIC_STORAGE: null }, 'build finds the storage: private and public', []],
    ['payments-lab', { HALCYON_NO_UPLOAD: '1' }, 'dyno sees our config vars: HALCYON_NO_UPLOAD set', []],
  ] as const)('%s with %j', async (app, wrong, proof, requests) => {
    const { report, failing } = await prove(app, wrong);
    const [[name, value]] = Object.entries(wrong) as [[string, string | null]];
    const state = value === null ? 'unset' : name.includes('_NO_') ? 'set' : 'other';
    expect(failing).toEqual(
      expect.arrayContaining([proof, `build sees our config vars: ${name} ${state}`, `dyno sees our config vars: ${name} ${state}`]),
    );
    expect(report.causes.map(({ code }) => code)).toContain('config-vars-differ');
    expect(report.access ? made(report.access) : []).toEqual(requests);
  });
});

describe('what is wrong is named', () => {
  const ads = () => ground.team('ads');
  const principalOf = (team: string) => principalIn(ground.config, team, 'upload');

  test('a key without its policy', async () => {
    const iam = await ground.aws.iam();
    const user = { UserName: userName(principalOf('ads')), PolicyName: 'halcyon' };
    await iam.send(new DeleteUserPolicyCommand(user));
    try {
      const [report] = await smokeTeam(ground.context(), ads());
      expect(report?.ok).toBe(false);
      expect(report?.causes.map(({ code }) => code)).toContain('policy-denies');
      expect(report?.proofs.find(({ proof }) => proof === 'build takes the archive from the bucket')).toMatchObject({ ok: false });
    } finally {
      await iam.send(new PutUserPolicyCommand({ ...user, PolicyDocument: ground.policyOf('ads') }));
    }
  });

  test('a bucket that refuses Signature Version 2', async () => {
    const { sigv2 } = ground.sandbox.aws.settings;
    sigv2.buckets['common-bucket'] = 'refuse';
    try {
      const [report] = await smokeTeam(ground.context(), ads());
      expect(report?.causes.map(({ code }) => code)).toContain('sigv2-refused');
    } finally {
      delete sigv2.buckets['common-bucket'];
    }
  });

  test('a key that AWS does not know, given for one principal', async () => {
    const key = { accessKeyId: 'AKIAUNKNOWN000000000', secretAccessKey: 'not-the-secret-of-any-key-at-all' };
    const report = await smokePrincipal(ground.context(), ads(), principalOf('ads'), { app: 'ads-web', key });
    expect(report.causes.map(({ code }) => code)).toContain('key-unknown');
    expect(JSON.stringify(report)).not.toContain(key.secretAccessKey);
  });

  test('the key of another principal', async () => {
    const key = await currentKey(ground.aws, principalOf('search'));
    const report = await smokePrincipal(ground.context(), ads(), principalOf('ads'), { app: 'ads-web', key });
    expect(report.causes.map(({ code }) => code)).toContain('policy-too-wide');
    const wrong = failed([report]).map(({ proof, observed }) => `${proof}: ${observed}`);
    expect(wrong).toEqual(
      expect.arrayContaining(['list its own prefix: denied', 'Halcyon archives what it built: denied', 'upload to search/: allowed']),
    );
  });

  test('an app that is not there ends that mode, and says so', async () => {
    const team = ads();
    const gone = { ...team, apps: team.apps.map((app) => ({ ...app, name: 'no-such-app' })) };
    const [report] = await smokeTeam(ground.context(), gone);
    expect(report).toMatchObject({ ok: false, causes: [{ code: 'app-not-found' }] });
  });
});

test('a page that is not the run’s own is no proof', async () => {
  const server = createServer((_request, answer) => void answer.end('the page of another build')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const { port } = server.address() as AddressInfo;
    const look = (nonce: string) => openPage(`http://127.0.0.1:${port}/`, nonce, { network: ground.aws.network, timeoutMs: 0 });
    expect([await look('nonce'), await look('another')]).toEqual(['another page', 'found']);
  } finally {
    server.close();
  }
});

describe('whatever happens', () => {
  test.each(['looking', 'making app', 'planting', '-----> Using buildpack', 'trying Halcyon', 'opening'])(
    'an abort at "%s" leaves nothing behind',
    async (moment) => {
      const abort = new AbortController();
      const step = () => ({ update: (detail: string) => detail.startsWith(moment) && abort.abort(), done() {}, fail() {} });
      const debug = (line: string) => line.includes(moment) && abort.abort();
      const io = { ...silentIo, step, debug } as IoHost;
      const smoke = smokeTeam(ground.context({ io, signal: abort.signal }), ground.team('ads'));
      await expect(smoke).rejects.toMatchObject({ code: 'interrupted' });
    },
  );

  test('an abort before the app is made asks for no removal', async () => {
    const abort = new AbortController();
    const step = () => ({ update: (detail: string) => detail.startsWith('looking') && abort.abort(), done() {}, fail() {} });
    const io = { ...silentIo, step } as IoHost;
    ground.sandbox.heroku.clearLog();
    await expect(smokeTeam(ground.context({ io, signal: abort.signal }), ground.team('ads'))).rejects.toThrow();
    expect(ground.sandbox.heroku.log().filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  test('failures of Heroku on the way are waited out', async () => {
    const { heroku } = ground.sandbox;
    heroku.addFault({ kind: '503', times: 3, after: 2 });
    heroku.addFault({ kind: 'reset-after', method: 'POST', path: '/apps' });
    heroku.addFault({ kind: 'reset-after', method: 'POST', path: '/apps/*/builds' });
    heroku.addFault({ kind: 'reset-after', method: 'POST', path: '/apps/*/dynos' });
    heroku.settings.cutStreamsAfterBytes = 700;
    heroku.settings.pendingAfterEofMs = 500;
    try {
      expect(failed(await smokeTeam(ground.context(), ground.team('ads')))).toEqual([]);
    } finally {
      heroku.clearFaults();
      Object.assign(heroku.settings, { cutStreamsAfterBytes: 0, pendingAfterEofMs: 0 });
    }
  });

  test('what an earlier run left behind is swept, and nothing else', async () => {
    const { heroku, aws } = ground;
    const run = 'halcyon-smoke-leftover';
    const archive = `ads/linux-ubuntu-24.04-x86_64/ghc-7.8.4/halcyon-install-1234567-${run}-1.0.tar.gz`;
    const s3 = await aws.s3();
    const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'common-bucket', Key, Body: 'x' }));
    await heroku.createApp({ name: run });
    for (const key of [`ads/${run}/present`, `${SMOKE_OBJECT_PREFIX}${run}/present`, noteOf(run, archive), archive]) await put(key);
    expect(await sweepApps(heroku, silentIo)).toEqual([]);
    expect(await sweepObjects(aws, { name: 'common-bucket', account: '111122223333' }, 'ads', silentIo)).toBe(0);
    const later = new Date(Date.now() + 7 * 3_600_000);
    expect(await sweepApps(heroku, silentIo, later)).toEqual([run]);
    expect(await sweepObjects(aws, { name: 'common-bucket', account: '111122223333' }, 'ads', silentIo, later)).toBe(4);
  });
});

test("a team's own source goes to its own app, which stays", async () => {
  const [report] = await smokeTeam(ground.context(), ground.team('search'), { app: 'search-web', source: await ground.ownSource() });
  expect(report?.proofs.find(({ proof }) => proof === 'build finds the storage')).toMatchObject({ ok: true });
  expect(report?.proofs.find(({ proof }) => proof === 'app is deployed')).toMatchObject({ ok: false, observed: 'buildpack only' });
  expect(report?.causes.map(({ code }) => code)).toContain('dependencies-missing');
  expect((await ground.heroku.app('search-web')).name).toBe('search-web');
});

test("what a team's own build uploaded, to its own bucket, stays there", async () => {
  const source = await ground.ownSource();
  // Lets the build make what is missing, and upload it, instead of giving up.
  await ground.heroku.patchConfigVars('search-web', { HALCYON_NO_BUILD_DEPENDENCIES: '0' });
  const [report] = await smokeTeam(ground.context(), ground.team('search'), { app: 'search-web', source });
  expect(report?.proofs.find(({ proof }) => proof === 'app is deployed')).toMatchObject({ ok: true });
  expect((await takeAway()).sort()).toEqual([
    expect.stringMatching(/^search\/.*\/halcyon-install-[0-9a-f]{7}-own-app-1\.0\.tar\.gz$/),
    expect.stringMatching(/^search\/.*\/halcyon-ghc-7\.8\.4\.tar\.gz$/),
  ]);
});
