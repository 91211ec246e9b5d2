import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as tar from 'tar';
import { parse as parseYaml } from 'yaml';
import { ApiError, invalid } from './api-error.js';
import { type BuildpackSource, contentRoot } from './buildpacks.js';
import type { Room } from './machine/machine.js';
import { type App, type Build, type Slug, configVars, now } from './model.js';
import { ACCOUNT, type Platform } from './platform.js';
import type { SourceStore } from './sources.js';
import { OutputStream } from './streams.js';

/** A build that failed as builds fail: said in its output, not a fault of the sandbox. */
class BuildFailure extends Error {}

const EXPORTS_THEN = 'while [ "$1" != -- ]; do . "$1"; shift; done; shift; exec "$@"';

/** Runs builds: real buildpacks on real sources. */
export class Builder {
  constructor(
    private readonly platform: Platform,
    private readonly sources: SourceStore,
    private readonly buildpacks: BuildpackSource,
  ) {}

  start(app: App, source: Build['source'], buildpacks: readonly string[]): Build {
    if (app.generation !== 'cedar') throw invalid('Builds with classic buildpacks are not available for apps of the fir generation.');
    if (!this.sources.accepts(source.url)) throw invalid('Source blob URL must be an https URL or one that POST /sources answered.');
    const build: Build = {
      id: randomUUID(),
      status: 'pending',
      createdAt: now(),
      updatedAt: now(),
      source,
      buildpacks,
      stack: app.buildStack,
      output: new OutputStream(),
      slug: undefined,
      release: undefined,
    };
    app.builds.push(build);
    app.log.add('app', 'api', `Build started by user ${ACCOUNT.email}`);
    app.buildQueue = app.buildQueue.then(() => this.run(app, build)).catch(() => {});
    return build;
  }

  cacheDir(app: App): string {
    return join(this.platform.machine.dir, 'caches', app.id, 'cache');
  }

  async purgeCache(app: App): Promise<void> {
    await rm(this.cacheDir(app), { recursive: true, force: true });
  }

  private async run(app: App, build: Build): Promise<void> {
    const { machine, settings } = this.platform;
    const room = await machine.room();
    let status: Build['status'] = 'failed';
    try {
      build.slug = await machine.inTurn(room, (hasApp) => this.makeSlug(app, build, room, hasApp));
      const slug = app.slugs.get(build.slug) as Slug;
      say(build, '-----> Launching...');
      const release = this.platform.release(app, {
        description: `Deploy ${slug.commit?.slice(0, 8) ?? build.id.slice(0, 8)}`,
        slug: slug.id,
        configVars: configVars(app),
      });
      build.release = release.id;
      if (release.output !== undefined)
        say(build, ' !     Release command declared: this new release will not be available until the command succeeds.');
      say(build, `       Released v${release.version}`, `       ${app.router?.url} deployed to Heroku`, '');
      status = 'succeeded';
    } catch (error) {
      if (!(error instanceof BuildFailure)) say(build, ` !     The sandbox could not run this build: ${(error as Error).message}`);
      else if (error.message !== '') say(build, ` !     ${error.message}`);
      say(build, ' !     Push failed', '');
    }
    build.output.end();
    await machine.removeRoom(room);
    if (settings.pendingAfterEofMs > 0) await new Promise((resolve) => setTimeout(resolve, settings.pendingAfterEofMs));
    build.status = status;
    build.updatedAt = now();
    app.log.add('app', 'api', `Build ${status}`);
  }

  /** @returns id of the slug. */
  private async makeSlug(app: App, build: Build, room: Room, hasApp: boolean): Promise<string> {
    const name = build.id.slice(0, 8);
    const buildDir = join(room.tmp, `build_${name}`);
    const envDir = join(room.tmp, `env_${name}`);
    const cacheDir = this.cacheDir(app);
    await this.unpackSource(build, room, buildDir);
    if (!hasApp) say(build, ' !     No /app of its own can be had here: a buildpack that writes to /app will fail on this machine.');
    await mkdir(envDir, { mode: 0o700 });
    for (const [key, value] of Object.entries(configVars(app))) await writeFile(join(envDir, key), value, { mode: 0o600 });
    await mkdir(cacheDir, { recursive: true });
    say(build, `-----> Building on the ${title(app.buildStack)} stack`);
    const buildpackDirs = await this.fetchBuildpacks(app, build, room);

    // Its parent is what is bound, so that a buildpack may remove the cache itself.
    const cache = this.platform.machine.isolated ? '/tmp/codon/kept/cache' : cacheDir;
    const exec = (args: readonly string[], onOutput: (chunk: Buffer) => void): Promise<number> =>
      this.exec({
        app,
        build,
        room,
        buildDir,
        binds: [[dirname(cacheDir), dirname(cache)]],
        args: [...exports, '--', ...args].map(room.inside),
        onOutput,
      });
    const exports: string[] = [];
    let release: string | undefined;
    let detected = 'unknown';
    for (const { url, dir } of buildpackDirs) {
      const printed: Buffer[] = [];
      const found = await exec([join(dir, 'bin/detect'), buildDir], (chunk) => printed.push(chunk));
      if (found !== 0) {
        say(build, `-----> App not compatible with buildpack: ${redactUrl(url)}`);
        throw new BuildFailure('Push rejected, failed to detect app matching the buildpack.');
      }
      detected = Buffer.concat(printed).toString('utf8').trim() || 'unknown';
      say(build, `-----> ${detected} app detected`);
      const status = await exec([join(dir, 'bin/compile'), buildDir, cache, envDir], (chunk) => build.output.write(chunk));
      if (status !== 0) throw new BuildFailure(`Push rejected, failed to compile ${detected} app.`);
      if (await exists(join(dir, 'export'))) exports.push(join(dir, 'export'));
      release = undefined;
      if (await exists(join(dir, 'bin/release'))) {
        const yaml: Buffer[] = [];
        if ((await exec([join(dir, 'bin/release'), buildDir], (chunk) => yaml.push(chunk))) === 0) {
          release = Buffer.concat(yaml).toString('utf8');
        }
      }
    }
    const processTypes = await this.processTypes(build, buildDir, release, detected);
    return this.pack(app, build, buildDir, processTypes, detected);
  }

  private async unpackSource(build: Build, room: Room, buildDir: string): Promise<void> {
    const bytes = await this.sources.read(build.source.url).catch((error: Error) => {
      throw new BuildFailure(`Unable to download source: ${error.message}`);
    });
    const { checksum } = build.source;
    const actual = createHash('sha256').update(bytes).digest('hex');
    if (checksum !== undefined && checksum.toLowerCase() !== `sha256:${actual}`)
      throw new BuildFailure('Checksum verification failed for the source.');
    const unpacked = join(room.dir, 'source');
    await mkdir(unpacked);
    const file = join(room.dir, 'source.tgz');
    await writeFile(file, bytes);
    try {
      await tar.x({ file, cwd: unpacked, preserveOwner: false, strict: true });
    } catch {
      throw new BuildFailure('Source is not a gzipped tarball.');
    }
    await rename(await contentRoot(unpacked), buildDir);
    await rm(join(buildDir, '.git'), { recursive: true, force: true });
  }

  private async fetchBuildpacks(app: App, build: Build, room: Room): Promise<Array<{ url: string; dir: string }>> {
    const urls = build.buildpacks.length > 0 ? build.buildpacks : app.buildpacks;
    if (urls.length === 0) throw new BuildFailure('No buildpack is set for this app, and the sandbox does not guess one.');
    if (urls.length === 1) say(build, `-----> Using buildpack: ${redactUrl(urls[0] as string)}`);
    else say(build, '-----> Using buildpacks:', ...urls.map((url, index) => `       ${index + 1}. ${redactUrl(url)}`));
    const parent = join(room.tmp, 'codon/tmp/buildpacks');
    await mkdir(parent, { recursive: true });
    const fetched: Array<{ url: string; dir: string }> = [];
    for (const [index, url] of urls.entries()) {
      const dir = join(parent, createHash('sha1').update(`${index} ${url}`).digest('hex'));
      await this.buildpacks.fetch(url, dir).catch((error: Error) => {
        throw new BuildFailure(
          `Failed to fetch buildpack ${redactUrl(url)}: ${redactUrl(error.message.split('\n').at(-2) ?? error.message)}`,
        );
      });
      for (const script of ['detect', 'compile']) {
        await chmod(join(dir, 'bin', script), 0o755).catch(() => {
          throw new BuildFailure(`Buildpack ${redactUrl(url)} has no bin/${script}.`);
        });
      }
      fetched.push({ url, dir });
    }
    return fetched;
  }

  private exec(step: {
    app: App;
    build: Build;
    room: Room;
    buildDir: string;
    binds: ReadonlyArray<readonly [string, string]>;
    args: readonly string[];
    onOutput: (chunk: Buffer) => void;
  }): Promise<number> {
    const { app, build, room } = step;
    const { machine, settings } = this.platform;
    const child = machine.start({
      room,
      stack: app.buildStack,
      cwd: room.inside(step.buildDir),
      binds: step.binds,
      command: ['/bin/bash', '-c', EXPORTS_THEN, 'bash', ...step.args],
      env: {
        PATH: '/usr/local/bin:/usr/bin:/bin',
        LANG: 'C.UTF-8',
        HOME: '/app',
        STACK: app.buildStack,
        SOURCE_VERSION: build.source.version ?? '',
        REQUEST_ID: build.id,
        ...this.platform.environment(),
      },
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        machine.kill(child, 'SIGKILL');
        reject(new BuildFailure(`Build timed out: it took longer than ${settings.buildTimeoutMs / 60_000} minutes.`));
      }, settings.buildTimeoutMs);
      child.stdout?.on('data', step.onOutput);
      child.stderr?.on('data', step.onOutput);
      child.once('error', reject);
      child.once('close', (code) => {
        clearTimeout(timer);
        resolve(code ?? 1);
      });
    });
  }

  /** The Procfile wins over what the last buildpack's `release` says. */
  private async processTypes(
    build: Build,
    buildDir: string,
    release: string | undefined,
    detected: string,
  ): Promise<Record<string, string>> {
    const declared: Record<string, string> = {};
    const procfile = await readFile(join(buildDir, 'Procfile'), 'utf8').catch(() => '');
    for (const line of procfile.split(/\r?\n/)) {
      const match = /^([-\w]{1,128})\s*:\s*(\S.*)$/.exec(line);
      if (match) declared[match[1] as string] = (match[2] as string).trim();
    }
    const parsed = release === undefined ? undefined : (parseYaml(release) as { default_process_types?: Record<string, string> } | null);
    const defaults = Object.entries(parsed?.default_process_types ?? {}).filter(([type]) => !(type in declared));
    say(build, '-----> Discovering process types');
    say(build, `       Procfile declares types -> ${Object.keys(declared).join(', ') || '(none)'}`);
    if (defaults.length > 0) say(build, `       Default types for ${detected} -> ${defaults.map(([type]) => type).join(', ')}`);
    say(build, '');
    return { ...declared, ...Object.fromEntries(defaults) };
  }

  private async pack(app: App, build: Build, buildDir: string, processTypes: Record<string, string>, detected: string): Promise<string> {
    say(build, '-----> Compressing...');
    const id = randomUUID();
    const dir = join(this.platform.machine.dir, 'slugs');
    await mkdir(dir, { recursive: true });
    const file = join(dir, `${id}.tgz`);
    await tar.c({ file, cwd: buildDir, gzip: { level: 1 }, portable: true }, ['.']);
    const { size } = await stat(file);
    say(build, `       Done: ${size < 1024 * 1024 ? `${(size / 1024).toFixed(1)}K` : `${(size / 1024 / 1024).toFixed(1)}M`}`);
    const { version } = build.source;
    app.slugs.set(id, { id, file, size, stack: app.buildStack, commit: version, description: detected, processTypes, createdAt: now() });
    app.stack = app.buildStack;
    return id;
  }
}

/** The build in progress, or an error that names it. */
export function findBuild(app: App, id: string): Build {
  const build = app.builds.find((candidate) => candidate.id === id);
  if (build === undefined) throw new ApiError(404, 'not_found', "Couldn't find that build.", { resource: 'build' });
  return build;
}

const say = (build: Build, ...lines: string[]): void => build.output.write(lines.map((line) => `${line}\n`).join(''));
const title = (stack: string): string => stack.replace(/^h/, 'H');
const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

/** Without the user name, password and query a URL may carry. */
const redactUrl = (text: string): string => text.replace(/(\w+:\/\/)[^/@\s]*@/g, '$1').replace(/\?\S*/g, '');
