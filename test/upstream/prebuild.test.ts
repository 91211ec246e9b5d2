import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DeleteObjectCommand, GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HOLDERS_PREFIX } from '../../lib/contract/index.js';
import type { Stock } from '../../lib/prebuild/packages.client.js';
import type { PrebuildReport } from '../../lib/prebuild/prebuild.client.js';
import { InProcess } from '../integration/support/in-process.js';
import { Workplace } from '../integration/support/target.js';
import { Actor, source, type Source } from './support/actor.js';
import { startStage, type Stage } from './support/stage.js';
import { missing } from './support/upstream.js';
import { variant } from '../support/variant.js';

/** `halcyon-kit prebuild` with unmodified haskell-on-heroku: a stub stands in for the compiler, all else is upstream's own doing. */
const REGION = 'eu-west-1';
const APPS = ['pre-builder', 'pre-sister', 'pre-other', 'pre-reader'] as const;

describe.skipIf(missing)('prebuild with unmodified haskell-on-heroku (set HALCYON_UPSTREAM_DIR)', () => {
  let stage: Stage;
  let kit: InProcess;
  const sources = new Map<string, Source>(APPS.map((app) => [app, source(app)]));
  const dirOf = (app: string) => join(kit.dir, app);

  beforeAll(async () => {
    stage = await startStage();
    await stage.makeApps(Object.fromEntries(APPS.map((app) => [app, 'heroku-24'])));
    const apps = APPS.map((app) => `      ${app}: { mode: ${app === 'pre-reader' ? 'read-only' : 'upload'} }`).join('\n');
    const file = `teams:\n  pre:\n    bucket: { account: '${stage.account}', region: ${REGION} }\n    apps:\n${apps}\n`;
    await stage.up(file);
    kit = new InProcess(stage.sandbox.env);
    kit.write(file);
    // One package more than the others need, so that their dependencies are not all of it.
    const more = {
      'cabal.config': { content: 'constraints: base ==4.7.0.2,\n             bytestring ==0.10.4.0,\n             text ==1.1.0.0\n' },
    };
    for (const [app, { files }] of sources)
      for (const [path, { content }] of Object.entries({ ...files, ...(app === 'pre-other' ? more : {}) })) {
        const at = join(dirOf(app), path);
        mkdirSync(dirname(at), { recursive: true });
        writeFileSync(at, content);
      }
    // What is not committed is no part of a commit.
    const git = (...args: string[]) =>
      execFileSync('git', ['-C', dirOf('pre-sister'), '-c', 'user.name=a', '-c', 'user.email=a@b', ...args]);
    git('init', '-q');
    git('add', '.');
    git('commit', '-q', '-m', 'first');
    writeFileSync(join(dirOf('pre-sister'), 'scratch.hs'), 'not committed');
  }, 300_000);
  afterAll(async () => {
    kit?.remove();
    await stage?.stop();
  });

  const given = (...apps: string[]) => ['prebuild', ...apps, ...apps.flatMap((app) => ['--source', `${app}=${dirOf(app)}`])];
  /** Apps on the record of holders of the team's key. */
  const holders = async () => {
    const s3 = await stage.aws(REGION).s3();
    const { Contents = [] } = await s3.send(
      new ListObjectsV2Command({ Bucket: bucketName(), Prefix: `${HOLDERS_PREFIX}halcyon.team.pre.upload` }),
    );
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucketName(), Key: Contents[0]?.Key }));
    const { holders: found } = JSON.parse((await Body?.transformToString()) ?? '') as { holders: Array<{ app: string }> };
    return found.map(({ app }) => app).sort();
  };
  const shortLived = async () => (await stage.heroku.apps()).map(({ name }) => name).filter((name) => name.startsWith('halcyon-'));
  const bucketName = () => `halcyon-pre-${stage.account}-${REGION}`;
  const place = () => `s3://${bucketName()}/linux-ubuntu-24.04-x86_64/ghc-7.8.4`;
  const archiveOf = (app: string) => `${place()}/halcyon-install-${sources.get(app)!.hash.slice(0, 7)}-${app}-1.0.tar.gz`;

  test('what could not be built, or not be kept, is refused before anything is made', async () => {
    const compiler = await kit.kit([...given('pre-builder'), '--yes']);
    expect(compiler).toMatchObject({ code: 1 });
    expect(compiler.stderr).toMatch(
      /pre-builder is on heroku-24, .*no GHC, and there is none under s3:\/\/halcyon-pre-\S+\/linux-ubuntu-24/,
    );
    const reader = await kit.kit([...given('pre-reader'), '--yes']);
    expect(reader.stderr).toContain('app pre-reader is in mode read-only');
    expect(await shortLived()).toEqual([]);
  });

  test('two apps that need the same: one builds it for both; the apps themselves are left alone', async () => {
    await (await Actor.enter(stage, 'pre-builder')).plantToolchain(REGION);
    const before = await Promise.all(APPS.map((app) => stage.heroku.releases(app)));
    const from = stage.sandbox.aws.log().length;
    const ran = await kit.ok([...given('pre-builder', 'pre-sister'), '--commit', 'pre-sister=HEAD', '--yes', '--json']);
    const { apps, planned } = JSON.parse(ran.stdout) as { apps: PrebuildReport[]; planned: Array<{ app: string; wave: number }> };
    expect(planned.map(({ app, wave }) => `${app} ${wave}`)).toEqual(['pre-builder 1', 'pre-sister 2']);
    expect(apps.map(({ app, state, archive, causes }) => ({ app, state, archive, causes }))).toEqual(
      ['pre-builder', 'pre-sister'].map((app) => ({ app, state: 'prebuilt', archive: archiveOf(app), causes: [] })),
    );
    const uploads = stage.sandbox.aws
      .log()
      .slice(from)
      .filter(({ operation, resource }) => operation === 'PutObject' && /halcyon-(sandbox|install)-/.test(resource ?? ''));
    expect(uploads.filter(({ resource }) => resource?.endsWith('.tar.gz')).every(({ status }) => status === 200)).toBe(true);
    expect(await Promise.all(APPS.map((app) => stage.heroku.releases(app)))).toEqual(before);
    expect(await shortLived()).toEqual([]);
    expect(kit.printed).not.toContain((await stage.heroku.configVars('pre-builder')).HALCYON_AWS_SECRET_ACCESS_KEY);
  });

  test('what is there already is not built again; the app then takes it from the bucket, and serves its page', async () => {
    const ran = await kit.ok([...given('pre-builder'), '--deploy', '--yes', '--json']);
    const { apps } = JSON.parse(ran.stdout) as { apps: PrebuildReport[] };
    expect(apps[0]).toMatchObject({ state: 'there', archive: archiveOf('pre-builder'), ok: true });
    expect((await stage.heroku.releases('pre-builder'))[0]?.version).toBe(apps[0]!.release);
    expect(await (await Actor.enter(stage, 'pre-builder')).page(sources.get('pre-builder')!)).toBe('found');
  });

  variant('a source that does not build: it is said why, and nothing is left', async () => {
    const broken = join(kit.dir, 'broken');
    cpSync(dirOf('pre-other'), broken, { recursive: true });
    rmSync(join(broken, 'main.hs'));
    const ran = await kit.kit(['prebuild', 'pre-other', '--source', broken, '--deploy', '--yes', '--json']);
    expect(ran.code).toBe(1);
    const { apps } = JSON.parse(ran.stdout) as { apps: PrebuildReport[] };
    expect(apps[0]).toMatchObject({ state: 'failed', ok: false, causes: [{ code: 'build-failed' }] });
    expect(apps[0]!.proofs.filter(({ ok }) => !ok).map(({ observed }) => observed)).toEqual([
      expect.stringMatching(/^exit 1; .*Failed to build app/),
      expect.stringMatching(/404 \(not found\), and not there$/),
    ]);
    expect(await stage.heroku.builds('pre-other'), 'nothing is deployed').toEqual([]);
    expect(await shortLived()).toEqual([]);
  });

  test('packages: what is there, and which app uses it; what no app could use goes after its soak, a compiler in use never', async () => {
    const s3 = await stage.aws(REGION).s3();
    const jammy = 'linux-ubuntu-22.04-x86_64/halcyon-ghc-7.8.4.tar.gz';
    await s3.send(new PutObjectCommand({ Bucket: bucketName(), Key: jammy, Body: 'a compiler for a stack that no app is on' }));
    const places = async (...args: string[]) => {
      const ran = await kit.kit(['packages', ...args, '--json']);
      return { code: ran.code, ...(JSON.parse(ran.stdout) as { places: Stock[]; removed?: string[] }) };
    };
    const [stock] = (await places()).places;
    const seen = (kind: string) => stock!.packages.filter((one) => one.kind === kind);
    expect([...new Set(stock!.packages.map(({ kind }) => kind))].sort()).toEqual(['build', 'cabal', 'ghc', 'install', 'sandbox']);
    expect(stock).toMatchObject({ unknown: [], due: [], teams: ['pre'] });
    expect(seen('install').find(({ key }) => archiveOf('pre-builder').endsWith(key))?.usedBy).toEqual(['pre-builder']);
    expect(stock!.packages.filter(({ unusable }) => unusable !== undefined).map(({ key }) => key)).toEqual([jammy]);

    expect(await places('--prune', '--yes')).toMatchObject({ code: 2, removed: [] });
    expect(await places('--prune', '--soak', '0s', '--dry-run')).toMatchObject({ places: [{ due: [{ key: jammy }] }] });
    expect(await places('--prune', '--soak', '0s', '--yes')).toMatchObject({ code: 0, removed: [jammy] });
    const left = (await places()).places[0]!.packages.map(({ key }) => key);
    expect(left).toEqual(stock!.packages.map(({ key }) => key).filter((key) => key !== jammy));
  });

  test('the doctor knows an app that has a buildpack alone, and an install archive that is gone', async () => {
    const reader = await Actor.enter(stage, 'pre-reader');
    const files = { ...source('pre-reader').files, 'cabal.config': { content: 'constraints: base ==4.7.0.2,\n             mtl ==2.1\n' } };
    expect((await reader.deploy({ ...source('pre-reader'), files })).log.buildpackOnly).toBe(true);
    const Key = archiveOf('pre-builder').slice(`s3://${bucketName()}/`.length);
    await (await stage.aws(REGION).s3()).send(new DeleteObjectCommand({ Bucket: bucketName(), Key }));
    const { findings } = JSON.parse((await kit.kit(['doctor', '--json'])).stdout) as { findings: Array<{ name: string; subject: string }> };
    const about = findings.filter(({ name }) => name === 'buildpack-only' || name === 'install-archive-missing');
    expect(about.map(({ name, subject }) => `${name} ${subject}`)).toEqual([
      'buildpack-only app pre-reader',
      'install-archive-missing app pre-builder',
    ]);
  });

  test('while a dyno builds its app is on the record of holders, so that its key stays; Ctrl-C: dyno, app and record go', async () => {
    // Dependencies that nobody has built.
    writeFileSync(join(dirOf('pre-other'), 'cabal.config'), 'constraints: base ==4.7.0.2,\n             containers ==0.5.5.1\n');
    let recorded: string[] = [];
    const cli = new Workplace(stage.sandbox.env);
    cli.write(
      `teams:\n  pre:\n    bucket: { account: '${stage.account}', region: ${REGION} }\n    apps: { pre-other: { mode: upload } }\n`,
    );
    const ran = await cli.kit([...given('pre-other'), '--yes'], {
      onStart: (child) => {
        const look = async () => {
          const [app] = await shortLived();
          const building = app !== undefined && (await stage.heroku.dynos(app).catch(() => [])).some(({ type }) => type === 'run');
          if (building) {
            recorded = await holders();
            child.kill('SIGINT');
          } else if (child.exitCode === null) setTimeout(() => void look(), 50);
        };
        void look();
      },
    });
    cli.remove();
    expect(ran.code, ran.stderr).toBe(130);
    expect(await shortLived()).toEqual([]);
    const own = ['pre-builder', 'pre-other', 'pre-sister'];
    expect(recorded).toEqual([expect.stringMatching(/^halcyon-prebuild-[a-z]{8}$/), ...own]);
    expect(await holders()).toEqual(own);
  });
});
