import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { causesInLog } from '../../lib/smoke/log-causes.plan.js';
import { parseBuildLog } from '../../lib/smoke/log.js';
import { told, type Act } from './support/actor.js';
import { playDenials } from './support/denials.js';
import { guideApps, guideTeam, playGuide, type Guide } from './support/guide.js';
import { startStage, type Stage } from './support/stage.js';
import { HASKELL_ON_HEROKU, missing } from './support/upstream.js';
import { EVERY } from '../support/every.js';

/**
 * The user guide's story of buckets, whole, in either signature version: unmodified haskell-on-heroku on a bucket, with users, keys, buildpacks
 * and config vars that the kit alone made. A stub stands in for the compiler; everything Halcyon does with the bucket is its own doing.
 */
const ACL = 'bucket-owner-full-control';
const causes = ({ lines }: Pick<Act, 'lines'>) => causesInLog(parseBuildLog(lines.join('\n'))).map(({ code }) => code);
/** Version 2 with HALCYON_EVERY=1: parity.test.ts and heroku-stand-in.test.ts have it, too. */
const TOLD = (
  [{ signing: 4, team: 'modern', region: 'eu-west-1' } as const, { signing: 2, team: 'classic', region: 'us-east-1' } as const] as const
).slice(0, EVERY ? 2 : 1);

describe.skipIf(missing)('the user guide with unmodified haskell-on-heroku (set HALCYON_UPSTREAM_DIR)', () => {
  let stage: Stage;
  const guides = new Map<number, Promise<Guide>>();
  let denials: ReturnType<typeof playDenials>;

  beforeAll(async () => {
    stage = await startStage();
    for (const { signing, team, region } of TOLD) {
      await stage.makeApps(guideApps(team));
      if (signing === 2) stage.sandbox.aws.settings.sigv2.buckets[`halcyon-${team}-${stage.account}-${region}`] = 'accept';
      const how = signing === 4 ? '{ version: 4, buildpack: hosted }' : '{ version: 2, acknowledgeV2: true }';
      await stage.up(`teams:\n${guideTeam(team, `{ account: '${stage.account}', region: ${region} }`)}signing: ${how}\n`);
      guides.set(signing, playGuide(stage, team, region));
    }
    denials = playDenials(stage, guides.get(4) as Promise<Guide>, 'modern');
    await Promise.allSettled([...guides.values(), ...Object.values(denials)]);
  }, 600_000);
  afterAll(() => stage?.stop());

  describe.each(TOLD)('signature version $signing', ({ signing, team, region }) => {
    const guide = () => guides.get(signing) as Promise<Guide>;
    // But for cabal's archive, which is made anew every day.
    const writes = (act: Act) => told(act).filter((line) => /^(PUT|DELETE)/.test(line) && !line.includes('/halcyon-cabal-'));

    test('the kit sets the buildpacks that this version needs', async () => {
      const urls = await stage.heroku.buildpacks(`${team}-builder`);
      expect(urls).toEqual(
        signing === 4 ? [expect.stringMatching(/halcyon-sigv4-[0-9a-f]{64}\.tgz$/), HASKELL_ON_HEROKU] : [HASKELL_ON_HEROKU],
      );
    });

    test('an empty bucket: the buildpack alone is deployed', async () => {
      const { first, builder, sources } = await guide();
      expect(first.build.status).toBe('succeeded');
      expect(first.log).toMatchObject({ storage: 'private', buildpackOnly: true, sourceHash: sources.one.hash.slice(0, 7) });
      expect(told(first)).toEqual([
        `GET 404 ${builder.install(sources.one)}`,
        `GET 404 ${builder.bucket}/${builder.platform}/halcyon-ghc-7.8.4.tar.gz`,
      ]);
    });

    test('`build` on a one-off dyno archives cabal, sandbox, constraints, build and install, each with the ACL of the app', async () => {
      const { build, builder, sources } = await guide();
      expect(build.status, build.lines.join('\n')).toBe(0);
      const puts = build.requests.filter(({ operation }) => operation === 'PutObject');
      const label = `${builder.app}-1.0`;
      expect(puts.map(({ resource }) => resource)).toEqual([
        expect.stringMatching(new RegExp(`^${builder.bucket}/${builder.platform}/halcyon-cabal-1.20.0.3-hackage-[-\\d]{10}.tar.gz$`)),
        expect.stringMatching(new RegExp(`^${builder.place}/halcyon-sandbox-[0-9a-f]{7}-${label}.tar.gz$`)),
        expect.stringMatching(new RegExp(`^${builder.place}/halcyon-sandbox-[0-9a-f]{7}-${label}.constraints$`)),
        `${builder.place}/halcyon-build-${label}.tar.gz`,
        builder.install(sources.one),
      ]);
      expect(puts.map(({ acl, status }) => `${acl} ${status}`)).toEqual(Array(5).fill(`${ACL} 200`));
    });

    test('the same source is then deployed from the bucket, with one request, and serves its page', async () => {
      const { same, page, builder, sources } = await guide();
      expect(same.log).toMatchObject({ storage: 'private', buildpackOnly: false, deployed: sources.one.label, errors: [] });
      expect(told(same)).toEqual([`GET 200 ${builder.install(sources.one)}`]);
      expect(page).toBe('found');
    });

    test('a second app reuses the sandbox of the first, and archives its own', async () => {
      const { second, builder, sister, sources } = await guide();
      expect(second.log).toMatchObject({ deployed: sources.sister.label, errors: [] });
      const sandbox = (app: string) => new RegExp(`GET 200 ${builder.place}/halcyon-sandbox-[0-9a-f]{7}-${app}-1.0.tar.gz`);
      expect(told(second).filter((line) => sandbox(builder.app).test(line) || sandbox(`${team}-archive`).test(line))).toHaveLength(1);
      expect(writes(second)).toEqual([
        expect.stringMatching(/^PUT 200 .*\/halcyon-sandbox-[0-9a-f]{7}-.*\.tar\.gz$/),
        expect.stringMatching(/^PUT 200 .*\/halcyon-sandbox-[0-9a-f]{7}-.*\.constraints$/),
        `PUT 200 ${sister.place}/halcyon-build-${sources.sister.label}.tar.gz`,
        `PUT 200 ${sister.install(sources.sister)}`,
      ]);
    });

    test('an append-only app archives every version, and never so much as tries to delete', async () => {
      const { appendOne, appendTwo, archive, sources, kept } = await guide();
      expect([appendOne.log.deployed, appendTwo.log.deployed]).toEqual([sources.archiveOne.label, sources.archiveTwo.label]);
      expect(writes(appendOne).at(-1)).toBe(`PUT 200 ${archive.install(sources.archiveOne)}`);
      expect(writes(appendTwo).at(-1)).toBe(`PUT 200 ${archive.install(sources.archiveTwo)}`);
      for (const act of [appendOne, appendTwo]) {
        expect(told(act).filter((line) => line.startsWith('DELETE'))).toEqual([]);
        expect(act.log.requests.filter(({ action }) => action === 'Deleting')).toEqual([]);
      }
      expect(kept).toMatchObject({ archiveOne: true, archiveTwo: true });
    });

    test('a changed source cleans the older archive away', async () => {
      const { changed, builder, sources, kept } = await guide();
      expect(changed.log.deployed).toBe(sources.two.label);
      expect(writes(changed)).toEqual([
        `PUT 200 ${builder.place}/halcyon-build-${sources.two.label}.tar.gz`,
        `PUT 200 ${builder.install(sources.two)}`,
        `DELETE 204 ${builder.install(sources.one)}`,
      ]);
      expect(kept).toMatchObject({ one: false, two: true });
    });

    test('a read-only app builds on known dependencies, deploys, and writes nothing', async () => {
      const { readOnly, reader, sources, kept } = await guide();
      expect(readOnly.log).toMatchObject({ storage: 'private', deployed: sources.reader.label, errors: [] });
      expect(readOnly.lines.some((line) => line.includes('Building app'))).toBe(true);
      expect(readOnly.requests.length).toBeGreaterThan(5);
      expect(new Set(readOnly.requests.map(({ operation, status }) => `${operation} ${status}`))).toEqual(
        new Set(['GetObject 200', 'GetObject 404', 'ListObjects 200']),
      );
      expect(told(readOnly)[0]).toBe(`GET 404 ${reader.install(sources.reader)}`);
      expect(kept.reader).toBe(false);
    });

    test('a public app makes no private request, and cannot prebuild', async () => {
      const { publicDeploy, publicBuild } = await guide();
      expect(publicDeploy.log).toMatchObject({ storage: 'public', buildpackOnly: true });
      expect(publicDeploy.log.requests.length).toBeGreaterThan(0);
      expect(publicDeploy.log.requests.filter(({ url }) => url.startsWith('s3:'))).toEqual([]);
      expect(publicBuild.status).toBe(1);
      expect(publicBuild.lines.join('\n')).toContain('Expected private storage');
      expect([...publicDeploy.requests, ...publicBuild.requests]).toEqual([]);
    });

    test('the log of each tells why nothing was deployed', async () => {
      const { first, publicDeploy, publicBuild, same, second, changed, readOnly } = await guide();
      expect(causes(first)).toEqual(['compiler-missing', 'dependencies-missing']);
      expect(causes(publicDeploy)).toEqual(['compiler-missing', 'public-unbuilt', 'dependencies-missing']);
      expect(causes(publicBuild)).toEqual(['private-storage-missing']);
      for (const act of [same, second, changed, readOnly]) expect(causes(act)).toEqual([]);
    });

    test('every request is the app’s own, in its region, in this version, and each upload carries the ACL', async () => {
      const { builder, sister, archive, reader, leaked, ...acts } = await guide();
      const principals = [
        [[acts.first, acts.build, acts.same, acts.changed], builder, 'upload'],
        [[acts.second], sister, 'upload'],
        [[acts.appendOne, acts.appendTwo], archive, 'append-only'],
        [[acts.readOnly], reader, 'read-only'],
      ] as const;
      for (const [played, { app }, access] of principals) {
        const requests = played.flatMap((act) => act.requests);
        const [user, ...others] = new Set(requests.map(({ principal }) => principal.split('/').at(-1)));
        expect(others).toEqual([]);
        expect(user).toMatch(new RegExp(`^halcyon\\.app\\.${app}\\.${access}\\.[0-9a-f]{6}$`));
        expect(new Set(requests.map(({ signatureVersion }) => signatureVersion))).toEqual(new Set([signing]));
        if (signing === 4) expect(new Set(requests.map((request) => request.region))).toEqual(new Set([region]));
        for (const { operation, acl } of requests) expect(acl).toBe(operation === 'PutObject' ? ACL : undefined);
      }
      expect(leaked).toBe(false);
    });
  });

  describe('what the bucket denies, whatever a user’s own policy allows and whatever the config vars say', () => {
    const forbidden = (act: Act) =>
      act.requests.filter(({ status }) => status === 403).map(({ operation, reason }) => `${operation} ${reason}`);

    test('a read-only app without HALCYON_NO_UPLOAD: the first upload is refused, and the build with it', async () => {
      const { elsewhere, uploading } = await denials.writing;
      expect(elsewhere, 'the slip works where no bucket policy stands against it').toBe(200);
      expect(uploading.build.status).toBe('failed');
      expect(forbidden(uploading)).toEqual(['PutObject AccessDenied']);
      expect(uploading.log.requests.at(-1)).toMatchObject({ action: 'Uploading', outcome: '403 (forbidden)' });
      expect(told(uploading).filter((line) => /^(PUT|DELETE) 2/.test(line))).toEqual([]);
      expect(causes(uploading)).toEqual(['upload-denied', 'upload-failed']);
    });

    test('a read-only key in Halcyon’s own functions neither uploads nor deletes', async () => {
      const { functions } = await denials.writing;
      expect(functions.proofs.map(({ proof, observed }) => `${proof} ${observed}`)).toEqual(['upload denied', 'delete denied']);
      expect(forbidden(functions)).toEqual(['PutObject AccessDenied', 'DeleteObject AccessDenied']);
    });

    test('an append-only app without HALCYON_NO_CLEAN_PRIVATE_STORAGE: it archives, and what it would clean stays', async () => {
      const cleaning = await denials.cleaning;
      expect(cleaning.log.deployed).toBeDefined();
      expect(told(cleaning).filter((line) => line.startsWith('PUT 200'))).toHaveLength(2);
      expect(forbidden(cleaning).length).toBeGreaterThan(0);
      expect(new Set(forbidden(cleaning))).toEqual(new Set(['DeleteObject AccessDenied']));
      expect(told(cleaning).filter((line) => line.startsWith('DELETE 2'))).toEqual([]);
    });

    test.each([
      ['S3 itself', 'refused', '400 (bad request)', 'InvalidRequest'],
      ['the bucket policy, where S3 would accept it', 'denied', '403 (forbidden)', 'AccessDenied'],
    ] as const)('version 2 without our buildpack is refused by %s, and its log tells', async (_whom, which, outcome, reason) => {
      const act = (await denials.signing)[which];
      // Four words hide the refusal: the build goes on as if nothing were there, and replaces the app with nothing.
      expect(act.build.status).toBe('succeeded');
      expect(act.log).toMatchObject({ storage: 'private', buildpackOnly: true });
      expect(act.log.requests.map((request) => request.outcome)).toEqual([outcome, outcome]);
      expect(new Set(act.requests.map((request) => `${request.signatureVersion} ${request.reason}`))).toEqual(new Set([`2 ${reason}`]));
      expect(causes(act)[0]).toBe('sigv4-buildpack-missing');
    });
  });
});
