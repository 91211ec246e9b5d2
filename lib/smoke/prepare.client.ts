import type { AppStorage, KeyPair } from '../contract/index.js';
import type { HerokuApp } from '../heroku/heroku.js';
import { registerSecret, registerUrlSecrets } from '../io/redaction.js';
import { DEFAULT_GHC, platformOf } from './archive.js';
import type { RunOptions, SmokeContext } from './context.js';
import { copiedBuildpacks, copiedConfigVars } from './copy.js';
import { currentKey } from './key.client.js';
import type { Place } from './planted.client.js';
import type { Subject } from './subject.js';

/** What a smoke deploy is made from: the app it stands for, the key, and what its own app is to have. */
export interface Prepared {
  readonly app: HerokuApp;
  readonly key?: KeyPair;
  readonly buildpacks: readonly string[];
  readonly configVars: Readonly<Record<string, string>>;
  /** Where its builds should look for archives; the platform is empty for a stack we do not know. */
  readonly place: Place;
}

/** Read all of it; nothing is made. */
export async function prepare(
  { config, heroku, aws, signal, signingBuildpackUrl }: SmokeContext,
  subject: Subject,
  storage: AppStorage,
  options: RunOptions,
): Promise<Prepared> {
  const { name } = subject.app;
  const [app, vars, buildpacks] = await Promise.all([heroku.app(name), heroku.configVars(name), heroku.buildpacks(name)]);
  const key = subject.principal && (options.key ?? (await currentKey(aws, subject.principal)));
  if (key) registerSecret(key.secretAccessKey);
  signal?.throwIfAborted();
  const prepared = {
    app,
    key,
    buildpacks: copiedBuildpacks(config, signingBuildpackUrl, buildpacks),
    configVars: copiedConfigVars(config, storage, key, vars),
    place: { platform: platformOf(app.stack) ?? '', ghc: vars.HALCYON_GHC_VERSION || DEFAULT_GHC },
  };
  registerUrlSecrets([...Object.values(prepared.configVars), ...prepared.buildpacks]);
  return prepared;
}
