import { randomUUID } from 'node:crypto';
import { type App, type Build, configVars, currentRelease, type Dyno, now } from './model.js';
import type { Platform } from './platform.js';
import { OutputStream } from './streams.js';

/** A build or one-off dyno that only its caller carries on: for the API it is one like any other, and it runs until it is ended. */
export interface Held {
  /** The config vars it began with. */
  readonly configVars: Readonly<Record<string, string>>;
  /** The buildpacks of the same moment. */
  readonly buildpacks: readonly string[];
  /** It succeeds; a build is released. */
  end(): void;
}

export function holdDyno(app: App): Held {
  const release = currentRelease(app);
  const dyno: Dyno = {
    id: randomUUID(),
    name: `run.${1 + app.dynos.length}${release.version}${Math.floor(Math.random() * 1e6)}`,
    type: 'run',
    command: 'build',
    size: 'Performance-L',
    state: 'up',
    release,
    createdAt: now(),
    updatedAt: now(),
    attachUrl: undefined,
    port: undefined,
    process: undefined,
    exited: Promise.resolve(0),
  };
  app.dynos.push(dyno);
  return {
    configVars: release.configVars,
    buildpacks: [...app.buildpacks],
    end: () => void app.dynos.splice(app.dynos.indexOf(dyno), 1),
  };
}

export function holdBuild(platform: Platform, app: App): Held {
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
