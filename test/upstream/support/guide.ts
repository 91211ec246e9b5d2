import { HeadObjectCommand } from '@aws-sdk/client-s3';
import { Actor, source, type Deployment, type Run, type Source } from './actor.js';
import type { Stage } from './stage.js';

/** A team with an app of every kind, each with an IAM user of its own, so that the log tells them apart. */
export const guideTeam = (name: string, bucket: string): string => `  ${name}:
    bucket: ${bucket}
    credentials: per-app
    apps:
      ${name}-builder: { mode: upload }
      ${name}-sister: { mode: upload }
      ${name}-archive: { mode: upload, clean: false }
      ${name}-reader: { mode: read-only }
      ${name}-lab: { mode: public }
`;

export const guideApps = (team: string): Record<string, string> =>
  Object.fromEntries(['builder', 'sister', 'archive', 'reader', 'lab'].map((app) => [`${team}-${app}`, 'heroku-24']));

/** What the apps of a {@link guideTeam} did, in the order in which the user guide tells it. */
export interface Guide {
  readonly builder: Actor;
  readonly reader: Actor;
  readonly archive: Actor;
  readonly sister: Actor;
  readonly sources: Readonly<Record<'one' | 'two' | 'sister' | 'archiveOne' | 'archiveTwo' | 'reader', Source>>;
  /** Nothing is in the bucket. */
  readonly first: Deployment;
  /** `build` on a one-off dyno, once there is a compiler. */
  readonly build: Run;
  /** The very same source once more. */
  readonly same: Deployment;
  readonly page: string;
  /** A second app with the same dependencies. */
  readonly second: Deployment;
  readonly appendOne: Deployment;
  /** The append-only app, with a changed source. */
  readonly appendTwo: Deployment;
  /** The first app, with a changed source. */
  readonly changed: Deployment;
  /** A read-only app whose dependencies are known, though not its source. */
  readonly readOnly: Deployment;
  readonly publicDeploy: Deployment;
  readonly publicBuild: Run;
  /** Install archives that are there at the end, of those that were uploaded. */
  readonly kept: Readonly<Record<'one' | 'two' | 'archiveOne' | 'archiveTwo' | 'reader', boolean>>;
  /** Whether any app's secret is in anything that was logged. */
  readonly leaked: boolean;
}

export async function playGuide(stage: Stage, team: string, region: string): Promise<Guide> {
  const [builder, sister, archive, reader, lab] = (await Promise.all(
    Object.keys(guideApps(team)).map((app) => Actor.enter(stage, app)),
  )) as [Actor, Actor, Actor, Actor, Actor];
  const sources = {
    one: source(builder.app),
    two: source(builder.app),
    sister: source(sister.app),
    archiveOne: source(archive.app),
    archiveTwo: source(archive.app),
    reader: source(reader.app),
  };

  const [first, publicDeploy] = await Promise.all([builder.deploy(sources.one), lab.deploy(source(lab.app))]);
  await builder.plantToolchain(region);
  const [build, publicBuild] = await Promise.all([builder.build(), lab.build()]);
  const same = await builder.deploy(sources.one);
  const page = await builder.page(sources.one);

  const [second, [appendOne, appendTwo], readOnly] = await Promise.all([
    sister.deploy(sources.sister),
    archive.deploy(sources.archiveOne).then(async (one) => [one, await archive.deploy(sources.archiveTwo)] as const),
    reader.deploy(sources.reader),
  ]);
  const changed = await builder.deploy(sources.two);

  const acts = [first, publicDeploy, build, publicBuild, same, second, appendOne, appendTwo, readOnly, changed];
  const text = acts.flatMap(({ lines }) => lines).join('\n');
  const secrets = [builder, sister, archive, reader].map(({ vars }) => vars.HALCYON_AWS_SECRET_ACCESS_KEY ?? '');
  const there = (actor: Actor, of: Source) => isThere(stage, region, actor.install(of));
  return {
    ...{ builder, sister, archive, reader, sources, first, build, same, page, second, appendOne, appendTwo, changed, readOnly },
    ...{ publicDeploy, publicBuild },
    kept: {
      one: await there(builder, sources.one),
      two: await there(builder, sources.two),
      archiveOne: await there(archive, sources.archiveOne),
      archiveTwo: await there(archive, sources.archiveTwo),
      reader: await there(reader, sources.reader),
    },
    leaked: secrets.some((secret) => secret === '' || text.includes(secret)),
  };
}

async function isThere(stage: Stage, region: string, resource: string): Promise<boolean> {
  const [Bucket = '', ...key] = resource.split('/');
  const s3 = await stage.aws(region).s3();
  return s3.send(new HeadObjectCommand({ Bucket, Key: key.join('/') })).then(
    () => true,
    () => false,
  );
}
