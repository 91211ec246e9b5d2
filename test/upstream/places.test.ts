import pMap from 'p-map';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { storageRequest } from '../support/halcyon-request.js';
import { Actor, source, told, type Deployment } from './support/actor.js';
import { furnish, PLACES, playPlace, type Place, type Stay } from './support/places.js';
import { startStage, type Stage } from './support/stage.js';
import { missing } from './support/upstream.js';

/** Unmodified haskell-on-heroku in every kind of place that the kit makes or takes for packages. */
describe.skipIf(missing)('unmodified haskell-on-heroku in every place (set HALCYON_UPSTREAM_DIR)', () => {
  let stage: Stage;
  const stays = new Map<Place, Promise<Stay>>();
  const stay = (app: string) => stays.get(PLACES.find((place) => place.app === app) as Place) as Promise<Stay>;
  const lab = source('tide-lab');
  let publicApp: Deployment;

  beforeAll(async () => {
    stage = await startStage();
    await furnish(stage, lab);
    await pMap(
      PLACES,
      async (place) => {
        stays.set(place, playPlace(stage, place));
        await stays.get(place)?.catch(() => {});
      },
      { concurrency: 3 },
    );
    publicApp = await (await Actor.enter(stage, 'tide-lab')).deploy(lab);
  }, 600_000);
  afterAll(() => stage?.stop());

  const archived = ({ acts }: Stay) => acts.flatMap(({ requests }) => requests.filter(({ operation }) => operation === 'PutObject'));

  test.each(PLACES.map((place) => [place.what, place] as const))(
    '%s: archived with its ACL, below its prefix, and deployed',
    async (_what, place) => {
      const done = await stay(place.app);
      const { actor, deployed } = done;
      expect(deployed.log, deployed.lines.join('\n')).toMatchObject({ deployed: done.source.label, buildpackOnly: false });
      const label = done.source.label.replaceAll('.', '\\.');
      const below = `^${actor.bucket}/${place.prefix === undefined ? '' : `${place.prefix}/`}${actor.platform}`;
      expect(actor.platform).toBe(`linux-ubuntu-${place.stack.slice(-2)}.04-x86_64`);
      const own = archived(done).filter(({ resource }) => !/(ghc-7\.8\.4|cabal-1\.20\.0\.3)\.tar\.gz$/.test(resource ?? ''));
      expect(own.map(({ resource }) => resource)).toEqual([
        expect.stringMatching(`${below}/halcyon-cabal-1\\.20\\.0\\.3-hackage-[-\\d]{10}\\.tar\\.gz$`),
        expect.stringMatching(`${below}/ghc-7\\.8\\.4/halcyon-sandbox-[0-9a-f]{7}-${label}\\.tar\\.gz$`),
        expect.stringMatching(`${below}/ghc-7\\.8\\.4/halcyon-sandbox-[0-9a-f]{7}-${label}\\.constraints$`),
        expect.stringMatching(`${below}/ghc-7\\.8\\.4/halcyon-build-${label}\\.tar\\.gz$`),
        actor.install(done.source),
      ]);
      expect(new Set(archived(done).map(({ acl, status }) => `${acl} ${status}`))).toEqual(new Set([`${place.acl} 200`]));
      const requests = [...done.acts, done.attempts].flatMap((act) => act.requests);
      expect(new Set(requests.map(({ signatureVersion, region }) => `${signatureVersion} ${region}`))).toEqual(
        new Set([`4 ${place.region}`]),
      );
    },
  );

  test.each(PLACES.map((place) => [place.what, place] as const))(
    '%s: Halcyon’s own functions reach it, and nothing beside it',
    async (_what, place) => {
      const { attempts } = await stay(place.app);
      expect(attempts.proofs.length).toBeGreaterThan(7);
      expect(attempts.proofs.filter(({ ok }) => !ok)).toEqual([]);
      const beside = attempts.proofs.filter(({ proof }) => (place.others ?? []).some((other) => proof.includes(`${other}/`)));
      expect(beside.map(({ observed }) => observed)).toEqual((place.others ?? []).flatMap(() => ['denied', 'denied', 'denied']));
    },
  );

  test('the guide’s way, with a one-off dyno, holds on the older stack and in a shared bucket', async () => {
    const { acts, actor, source: of } = await stay('alpha-web');
    expect(acts).toHaveLength(3);
    expect(told(acts[2] as Deployment)).toEqual([`GET 200 ${actor.install(of)}`]);
  });

  test('public-read packages can be read by anyone, private ones by nobody', async () => {
    const status = async (app: string) => {
      const { actor, source: of } = await stay(app);
      const [bucket = '', ...object] = actor.install(of).split('/');
      const nobody = { accessKeyId: '', secretAccessKey: '' };
      const request = { signature: 0, region: 'eu-west-1', method: 'GET', bucket, object: object.join('/') } as const;
      return (await storageRequest(stage.sandbox.aws, nobody, request)).status;
    };
    for (const { app, acl } of PLACES) expect(await status(app), app).toBe(acl === 'public-read' ? 200 : 403);
  });

  test('publicStorage: fallback takes what is public, and keeps it in the private bucket', async () => {
    const { deployed, actor, acts } = await stay('tide-web');
    expect(deployed.log.storage).toBe('private and public');
    const base = [`${actor.platform}/halcyon-ghc-7.8.4.tar.gz`, `${actor.platform}/halcyon-cabal-1.20.0.3.tar.gz`];
    const said = told(acts[0] as Deployment);
    for (const key of base) {
      expect(said).toEqual(expect.arrayContaining([`GET 404 ${actor.bucket}/${key}`, `PUT 200 ${actor.bucket}/${key}`]));
      expect(
        deployed.log.requests.filter(({ url, outcome }) => url.startsWith('https:') && url.endsWith(key) && outcome === 'done'),
      ).toHaveLength(1);
    }
  });

  test('a public app deploys what is public, and makes no private request', () => {
    expect(publicApp.log).toMatchObject({ storage: 'public', deployed: lab.label });
    expect(publicApp.log.requests.map(({ url, outcome }) => `${new URL(url).protocol} ${outcome}`)).toEqual(['https: done']);
    expect(new Set(publicApp.requests.map(({ principal }) => principal))).toEqual(new Set(['anonymous']));
  });
});
