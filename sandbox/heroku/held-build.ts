import { randomUUID } from 'node:crypto';
import { type App, type Build, configVars, now } from './model.js';
import type { Platform } from './platform.js';
import { OutputStream } from './streams.js';

/** A build that only its caller carries on: for the API it is one like any other, and it runs until it is ended. */
export interface HeldBuild {
  /** The config vars it began with. */
  readonly configVars: Readonly<Record<string, string>>;
  /** The buildpacks it began with. */
  readonly buildpacks: readonly string[];
  /** It succeeds, and is released. */
  end(): void;
}

/** Start one: config vars and buildpacks are those of the same moment. */
export function holdBuild(platform: Platform, app: App): HeldBuild {
  const build: Build = {
    id: randomUUID(),
    status: 'pending',
    createdAt: now(),
    updatedAt: now(),
    source: { url: 'https://example.com/source.tgz', checksum: undefined, version: undefined, versionDescription: undefined },
    buildpacks: [...app.buildpacks],
    stack: app.buildStack,
    output: new OutputStream(),
    slug: undefined,
    release: undefined,
  };
  app.builds.push(build);
  return {
    configVars: configVars(app),
    buildpacks: build.buildpacks,
    end() {
      build.output.end();
      const description = `Deploy ${build.id.slice(0, 8)}`;
      build.release = platform.release(app, { description, slug: undefined, configVars: configVars(app) }).id;
      build.status = 'succeeded';
      build.updatedAt = now();
    },
  };
}
