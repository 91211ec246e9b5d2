import { parseConfig, type KitConfig } from '../../../lib/config/index.js';

/** A file: of one team and at most four apps, with all that an edit may change. */
export interface ModelFile {
  readonly perApp: boolean;
  readonly region: 'eu-west-1' | 'eu-north-1';
  readonly name?: string;
  readonly prefix?: string;
  readonly acl: 'bucket-owner-full-control' | 'private';
  /** Of the apps that are in it. */
  readonly modes: ReadonlyArray<'upload' | 'read-only' | 'public' | 'append' | undefined>;
  /** Of {@link STAGE}, where it is in it. */
  readonly stage?: 'upload' | 'read-only' | 'public';
}

/** What review apps of a pipeline are made with. */
export const STAGE = 'pipeline:shop:review';

const configs = new Map<string, KitConfig>();
export function configFor(file: ModelFile): KitConfig {
  const key = JSON.stringify(file);
  const { perApp, modes, region, name, prefix, acl, stage } = file;
  const apps = modes.flatMap((mode, index) =>
    mode === undefined ? [] : [[`app-${index}`, mode === 'append' ? { mode: 'upload', clean: false } : { mode }] as const],
  );
  const made =
    configs.get(key) ??
    parseConfig(
      JSON.stringify({
        teams: {
          team: {
            bucket: { account: '111122223333', region, name, prefix, acl },
            credentials: perApp ? 'per-app' : 'per-mode',
            apps: Object.fromEntries(apps),
            ...(stage === undefined ? {} : { pipelines: { shop: { review: { mode: stage } } } }),
          },
        },
        signing: { version: 4, buildpack: 'https://example.com/x.tgz' },
      }),
    );
  configs.set(key, made);
  return made;
}
