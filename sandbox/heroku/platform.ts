import { randomBytes, randomInt, randomUUID } from 'node:crypto';
import { ApiError, invalid, notFound } from './api-error.js';
import { DynoManager } from './dynos.js';
import { AppLog } from './logs.js';
import type { Machine } from './machine/machine.js';
import { type App, type Dyno, type Release, type Slug, type Team, configVars, currentRelease, now } from './model.js';
import { Router } from './router.js';
import type { Settings } from './settings.js';
import { OutputStream } from './streams.js';

export const STACKS = [
  { name: 'heroku-22', state: 'deprecated', default: false },
  { name: 'heroku-24', state: 'public', default: true },
  { name: 'heroku-26', state: 'public', default: false },
].map((stack, index) => ({ ...stack, id: `00000000-0000-4000-8000-00000000002${index}` }));

export const ACCOUNT = { id: '00000000-0000-4000-8000-000000000001', email: 'operator@example.com' };
const CONFIG_LIMIT_BYTES = 64 * 1024;
const APP_NAME = /^[a-z][a-z0-9-]{1,28}[a-z0-9]$/;

export interface CreateAppOptions {
  readonly name?: string | undefined;
  readonly stack?: string | undefined;
  readonly region?: string | undefined;
  readonly team?: string | undefined;
  readonly generation?: 'cedar' | 'fir' | undefined;
  readonly forbidden?: boolean | undefined;
  readonly buildpacks?: readonly string[] | undefined;
}

/** The platform's state and what happens to it; the API on top only translates. */
export class Platform {
  readonly apps: App[] = [];
  readonly teams = new Map<string, Team>();
  readonly dynos: DynoManager;

  constructor(
    readonly machine: Machine,
    readonly settings: Settings,
    /** What every build and dyno finds in its environment beside what Heroku sets. */
    readonly environment: () => Record<string, string>,
  ) {
    this.dynos = new DynoManager(machine, settings, environment);
  }

  /** By id or name. */
  app(identity: string): App {
    const app = this.apps.find((candidate) => candidate.id === identity || candidate.name === identity);
    if (app === undefined) throw notFound('app');
    if (app.forbidden) throw new ApiError(403, 'forbidden', `You do not have access to the app ${app.name}.`);
    return app;
  }

  team(name: string): Team {
    let team = this.teams.get(name);
    if (team === undefined) this.teams.set(name, (team = { id: randomUUID(), name }));
    return team;
  }

  async createApp(options: CreateAppOptions): Promise<App> {
    const name = options.name ?? `sandbox-${randomBytes(4).toString('hex')}`;
    if (!APP_NAME.test(name)) {
      throw invalid(
        'Name must start with a letter, end with a letter or digit and can only contain lowercase letters, digits, and dashes.',
      );
    }
    if (this.apps.some((app) => app.name === name)) throw invalid(`Name ${name} is already taken`);
    const stack = options.stack ?? 'heroku-24';
    if (!STACKS.some((known) => known.name === stack)) throw invalid(`Stack ${stack} is not available`);
    const at = now();
    const app: App = {
      id: randomUUID(),
      name,
      generation: options.generation ?? 'cedar',
      stack,
      buildStack: stack,
      region: options.region ?? 'us',
      team: options.team === undefined ? undefined : this.team(options.team),
      forbidden: options.forbidden ?? false,
      maintenance: false,
      createdAt: at,
      updatedAt: at,
      buildpacks: [...(options.buildpacks ?? [])],
      releases: [],
      builds: [],
      slugs: new Map(),
      dynos: [],
      formation: new Map(),
      log: new AppLog(),
      router: undefined,
      buildQueue: Promise.resolve(),
      nextRun: randomInt(1000, 9000),
    };
    this.apps.push(app);
    app.router = await Router.open(
      () => this.dynos.route(app),
      (line) => app.log.add('heroku', 'router', line),
    );
    for (const description of ['Initial release', 'Enable Logplex']) {
      app.releases.push(newRelease(app, { description, status: 'succeeded', slug: undefined, configVars: {} }));
    }
    return app;
  }

  async deleteApp(app: App): Promise<void> {
    this.apps.splice(this.apps.indexOf(app), 1);
    await Promise.all([...app.dynos].map((dyno) => this.dynos.stop(app, dyno)));
    await app.router?.close();
  }

  rename(app: App, name: string): void {
    if (!APP_NAME.test(name)) throw invalid('Name is invalid');
    if (this.apps.some((other) => other !== app && other.name === name)) throw invalid(`Name ${name} is already taken`);
    app.name = name;
  }

  /** One PATCH of config vars: at most one release. Answers when the release has begun, with the values then in force. */
  patchConfigVars(app: App, changes: Record<string, unknown>): Readonly<Record<string, string>> {
    const before = newestConfigVars(app);
    const after: Record<string, string> = { ...before };
    const set: string[] = [];
    const removed: string[] = [];
    for (const [name, value] of Object.entries(changes)) {
      if (!/^\w+$/.test(name)) throw invalid(`Config var name ${JSON.stringify(name)} may only contain letters, digits and underscores.`);
      if (value === null || value === '') {
        if (name in after) removed.push(name);
        delete after[name];
      } else if (typeof value === 'string') {
        set.push(name);
        after[name] = value;
      } else {
        throw invalid(`Config var ${name} must be a string or null.`);
      }
    }
    const bytes = Object.entries(after).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value), 0);
    if (bytes > CONFIG_LIMIT_BYTES) throw invalid(`Config vars are limited to 64kb in total, these would be ${bytes} bytes.`);
    const changed = removed.length > 0 || set.some((name) => before[name] !== after[name]);
    if (!changed && (this.settings.noopPatch === 'ignore' || set.length === 0)) return configVars(app);
    const parts = [...(set.length > 0 ? [`Set ${set.join(', ')}`] : []), ...(removed.length > 0 ? [`Remove ${removed.join(', ')}`] : [])];
    this.release(app, {
      description: `${parts.join(' and ')} config vars`,
      slug: newestRelease(app).slug,
      configVars: after,
    });
    return configVars(app);
  }

  rollback(app: App, identity: string): Release {
    const target = this.findRelease(app, identity);
    if (target.status !== 'succeeded' || this.expired(app, target)) {
      throw invalid(`Cannot roll back to v${target.version}: its status is ${this.expired(app, target) ? 'expired' : target.status}`);
    }
    if (target.slug === undefined) throw invalid(`Cannot roll back to v${target.version}: it has no slug`);
    return this.release(app, { description: `Rollback to v${target.version}`, slug: target.slug, configVars: target.configVars });
  }

  findRelease(app: App, identity: string): Release {
    const release =
      identity === 'current'
        ? currentRelease(app)
        : app.releases.find((candidate) => candidate.id === identity || String(candidate.version) === identity.replace(/^v/, ''));
    if (release === undefined) throw notFound('release');
    return release;
  }

  expired(app: App, release: Release): boolean {
    const newest = newestRelease(app);
    return (
      release.slug !== undefined &&
      release !== currentRelease(app) &&
      newest.version - release.version > 20 &&
      Date.now() - Date.parse(release.createdAt) > this.settings.slugRetentionMs
    );
  }

  /**
   * Make a release. With a release command, or the switch, it is `pending` at first, and the old one stays in force until it succeeds.
   */
  release(app: App, what: { description: string; slug: string | undefined; configVars: Readonly<Record<string, string>> }): Release {
    const command = what.slug === undefined ? undefined : app.slugs.get(what.slug)?.processTypes.release;
    const waits = command !== undefined || this.settings.delayedReleaseMs > 0;
    const release = newRelease(app, {
      ...what,
      status: waits ? 'pending' : 'succeeded',
      output: command === undefined ? undefined : new OutputStream(),
    });
    app.releases.push(release);
    app.updatedAt = release.createdAt;
    app.log.add('app', 'api', `Release v${release.version} created by user ${ACCOUNT.email}`);
    if (!waits) this.takeEffect(app, release);
    else release.ended = this.finishRelease(app, release, command);
    return release;
  }

  private async finishRelease(app: App, release: Release, command: string | undefined): Promise<void> {
    if (this.settings.delayedReleaseMs > 0) await new Promise((resolve) => setTimeout(resolve, this.settings.delayedReleaseMs));
    let status = 0;
    if (command !== undefined) {
      const dyno = await this.dynos.start(app, {
        type: 'release',
        name: `release.${(app.nextRun += 1)}`,
        command,
        size: 'Standard-1X',
        release,
        onOutput: (chunk) => release.output?.write(chunk),
      });
      status = await dyno.exited;
      release.output?.end();
    }
    release.updatedAt = now();
    release.status = status === 0 ? 'succeeded' : 'failed';
    if (release.status === 'failed') app.log.add('heroku', 'release', `Release command failed with status ${status}`);
    else if (currentRelease(app) === release) this.takeEffect(app, release);
  }

  /** The formation follows the slug's process types, and all its dynos restart. */
  private takeEffect(app: App, release: Release): void {
    const slug: Slug | undefined = release.slug === undefined ? undefined : app.slugs.get(release.slug);
    const types = Object.entries(slug?.processTypes ?? {}).filter(([type]) => type !== 'release');
    const first = app.formation.size === 0;
    for (const type of [...app.formation.keys()]) if (!types.some(([kept]) => kept === type)) app.formation.delete(type);
    for (const [type, command] of types) {
      const existing = app.formation.get(type);
      if (existing) existing.command = command;
      else {
        const at = now();
        const quantity = type === 'web' && (first || !app.formation.has('web')) ? 1 : 0;
        app.formation.set(type, { id: randomUUID(), type, quantity, size: 'Standard-1X', command, createdAt: at, updatedAt: at });
      }
    }
    this.applyFormation(app, true);
  }

  /** Start and stop dynos until they are what the formation says. */
  applyFormation(app: App, restart: boolean): void {
    const release = currentRelease(app);
    for (const dyno of app.dynos.filter((candidate) => isFormation(candidate))) {
      const wanted = app.formation.get(dyno.type);
      const index = Number(dyno.name.split('.')[1]);
      if (restart || wanted === undefined || index > wanted.quantity) void this.dynos.stop(app, dyno);
    }
    for (const formation of app.formation.values()) {
      for (let index = 1; index <= formation.quantity; index += 1) {
        const name = `${formation.type}.${index}`;
        if (app.dynos.some((dyno) => dyno.name === name && ['starting', 'up'].includes(dyno.state))) continue;
        void this.dynos.start(app, { type: formation.type, name, command: formation.command, size: formation.size, release });
      }
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.apps.map((app) => app.router?.close()));
  }
}

const isFormation = (dyno: Dyno): boolean => dyno.type !== 'run' && dyno.type !== 'release';

const newestRelease = (app: App): Release => app.releases.findLast((release) => release.status !== 'failed') as Release;

/** Of the newest release that did not fail, in force or not: what the next change is based on. */
const newestConfigVars = (app: App): Readonly<Record<string, string>> => newestRelease(app).configVars;

function newRelease(
  app: App,
  what: {
    description: string;
    status: Release['status'];
    slug: string | undefined;
    configVars: Readonly<Record<string, string>>;
    output?: OutputStream | undefined;
  },
): Release {
  const at = now();
  return {
    id: randomUUID(),
    version: app.releases.length + 1,
    status: what.status,
    description: what.description,
    slug: what.slug,
    configVars: what.configVars,
    createdAt: at,
    updatedAt: at,
    output: what.output,
    ended: Promise.resolve(),
  };
}
