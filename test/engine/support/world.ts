import type { KeyPair } from '../../../lib/aws/aws.js';
import { principalsOf } from '../../../lib/config/derive.js';
import type { Team } from '../../../lib/config/model.js';
import { iamPath, secretName, secretVersionId, STAGES, userName } from '../../../lib/contract/index.js';
import { flightOf } from '../../../lib/engine/ports/heroku-apps.client.js';
import type { Clock } from '../../../lib/engine/clock.js';
import type { AppsPort, AppWritten, KeysPort, LeaseStore, Ports, SecretsPort, VerifierPort } from '../../../lib/engine/ports/ports.js';
import { KitError } from '../../../lib/errors.js';
import { patchOf } from '../../../lib/heroku/sync.js';
import type { Build, Dyno, Release } from '../../../lib/heroku/heroku.js';

/** The end of a process: nothing it does afterwards has an effect. */
export class Crash extends Error {}

export interface ModelKey {
  readonly id: string;
  readonly secret: string;
  status: 'Active' | 'Inactive';
  readonly createdAt: number;
  /** Known everywhere from then on. */
  knownAt: number;
  lastUsedAt?: number;
  readonly foreign: boolean;
}
interface ModelUser {
  readonly name: string;
  readonly path: string;
  tags: Record<string, string>;
  keys: ModelKey[];
  inStack: boolean;
}
interface ModelBuild {
  readonly id: string;
  readonly kind: 'build' | 'dyno';
  readonly startedAt: number;
  readonly release: number;
  /** The truth that no API tells: the key it runs with. */
  readonly holds?: string;
  endedAt?: number;
}
export interface ModelApp {
  vars: Record<string, string>;
  releases: Array<{ version: number; description: string; createdAt: number; endedAt: number; vars: Record<string, string> }>;
  work: ModelBuild[];
  deleted: boolean;
  /** When someone rolled it back, until it is looked at: for a moment nobody can know what it holds, nor what has begun since. */
  unseen?: number;
  /** Its release command fails. */
  broken: boolean;
  /** Rolled back by someone to a key that was retired: broken until mended. */
  rolledBack: boolean;
}

/** Called around every effect and before every look. */
export type Hook = (operation: string, phase: 'before' | 'after' | 'look') => Promise<void> | void;

/** IAM, Secrets Manager, S3 and Heroku in memory, as strict as they are, watching the invariants at every effect. */
export class World {
  now = Date.parse('2026-03-01T12:00:00Z');
  readonly users = new Map<string, ModelUser>();
  readonly secrets = new Map<string, Map<string, { keyId: string; secret: string; stages: Set<string> }>>();
  readonly apps = new Map<string, ModelApp>();
  leaseObject?: { body: string; etag: string; at: number };
  readonly violations: string[] = [];
  /** Leaked keys: excused from the promise that no app is cut off. */
  readonly leaked = new Set<string>();
  readonly mayDeleteUnknown = new Set<string>();
  keyDelay = 0;
  releaseTime = 0;
  #serial = 0;

  readonly clock: Clock = {
    now: () => this.now,
    sleep: async (ms) => this.pass(ms),
    every: () => () => {},
  };

  serial = (): number => (this.#serial += 1);

  pass(ms: number): void {
    this.now += ms;
  }

  /** What a deployment of the team's stack does: users and secrets that the file wants, and no others but those that still have keys. */
  deploy(team: Team, orphan = false): void {
    const wanted = new Map(principalsOf(team).map((principal) => [userName(principal), principal]));
    for (const [name, principal] of wanted) {
      const user = this.users.get(name);
      if (user !== undefined) user.inStack = true;
      else this.users.set(name, { name, path: iamPath(principal.access, team.name), tags: {}, keys: [], inStack: true });
      const secret = secretName(principal);
      if (!this.secrets.has(secret)) this.secrets.set(secret, new Map());
    }
    for (const user of this.users.values()) {
      if (wanted.has(user.name) || !user.inStack) continue;
      if (orphan) user.inStack = false;
      else if (user.keys.length === 0) this.users.delete(user.name);
    }
    for (const app of team.apps) if (!this.apps.has(app.name)) this.apps.set(app.name, newApp(this.now));
  }

  makeKey(user: string, foreign: boolean): ModelKey {
    const n = this.serial();
    const key: ModelKey = {
      id: `AKIA${String(n).padStart(16, '0')}`,
      secret: `secret-of-key-number-${n}`,
      status: 'Active',
      createdAt: this.now,
      knownAt: this.now + (foreign ? 0 : this.keyDelay),
      foreign,
    };
    (this.users.get(user) as ModelUser).keys.push(key);
    return key;
  }

  keyNamed(id: string | undefined): ModelKey | undefined {
    for (const user of this.users.values()) for (const key of user.keys) if (key.id === id) return key;
    return undefined;
  }

  startWork(name: string, kind: 'build' | 'dyno', ms: number): void {
    const app = this.apps.get(name);
    if (app === undefined || app.deleted) return;
    this.settle(app);
    const holds = app.vars.HALCYON_AWS_ACCESS_KEY_ID;
    const settled = app.releases.filter(({ endedAt }) => endedAt <= this.now).at(-1)?.version ?? 0;
    app.work.push({ id: `w${this.serial()}`, kind, startedAt: this.now, release: settled, holds, endedAt: this.now + ms });
    const key = this.keyNamed(holds);
    if (key !== undefined && key.status === 'Active') key.lastUsedAt = this.now;
  }

  /** Back to the release before the latest that changed the key. */
  rollBack(name: string): void {
    const app = this.apps.get(name);
    if (app === undefined || app.deleted) return;
    this.settle(app);
    const now = app.vars.HALCYON_AWS_ACCESS_KEY_ID;
    const target = [...app.releases].reverse().find(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID !== now);
    if (target === undefined) return;
    app.unseen = this.now;
    this.release(app, { ...target.vars }, `Rollback to v${target.version}`, this.releaseTime);
    const key = this.keyNamed(target.vars.HALCYON_AWS_ACCESS_KEY_ID);
    if (target.vars.HALCYON_AWS_ACCESS_KEY_ID !== undefined && key?.status !== 'Active') app.rolledBack = true;
  }

  private release(app: ModelApp, vars: Record<string, string>, description: string, ms: number): number {
    const version = (app.releases.at(-1)?.version ?? 0) + 1;
    app.releases.push({ version, description, createdAt: this.now, endedAt: this.now + ms, vars });
    if (ms === 0) app.vars = vars;
    return version;
  }

  /** Releases whose command has ended take effect. */
  private settle(app: ModelApp): void {
    const latest = app.releases.filter(({ endedAt }) => endedAt <= this.now).at(-1);
    if (latest !== undefined) app.vars = latest.vars;
  }

  private running(app: ModelApp): ModelBuild[] {
    return app.deleted ? [] : app.work.filter(({ endedAt }) => endedAt === undefined || endedAt > this.now);
  }

  /** What holds a key, in truth. */
  holders(keyId: string): string[] {
    return [...this.apps].flatMap(([name, app]) => {
      if (app.deleted) return [];
      this.settle(app);
      // Longer ago than a look takes is no excuse.
      const unseen = app.unseen !== undefined && this.now - app.unseen < 60_000 ? app.unseen : undefined;
      const held = app.vars.HALCYON_AWS_ACCESS_KEY_ID === keyId && !app.rolledBack && unseen === undefined ? [`app ${name}`] : [];
      return [
        ...held,
        ...this.running(app)
          .filter(({ holds, startedAt }) => holds === keyId && startedAt < (unseen ?? Infinity))
          .map(({ id, kind }) => `${kind} ${id} of ${name}`),
      ];
    });
  }

  private violated(text: string): void {
    this.violations.push(text);
  }

  /** Ports of one process. */
  ports(hook: Hook): Ports {
    let dead = false;
    const run = async <T>(operation: string, phase: 'before' | 'after' | 'look'): Promise<void> => {
      if (dead) throw new Crash(operation);
      try {
        await hook(operation, phase);
      } catch (error) {
        if (error instanceof Crash) dead = true;
        throw error as T;
      }
    };
    const effect = async <T>(operation: string, work: () => T): Promise<T> => {
      await run(operation, 'before');
      this.pass(120);
      const result = work();
      await run(operation, 'after');
      return result;
    };
    const look = async <T>(operation: string, work: () => T): Promise<T> => {
      await run(operation, 'look');
      this.pass(40);
      return work();
    };
    return {
      keys: this.#keys(effect, look),
      secrets: this.#secretsPort(effect, look),
      verifier: this.#verifier(look),
      apps: this.#appsPort(run, look),
      lease: this.#lease(effect, look),
    };
  }

  #keys(effect: Effect, look: Effect): KeysPort {
    const userNamed = (name: string): ModelUser => {
      const user = this.users.get(name);
      if (user === undefined) throw new KitError('state-changed', `no user ${name}`);
      return user;
    };
    return {
      users: (team) =>
        look('ListUsers', () =>
          [...this.users.values()]
            .filter(({ path }) => path.endsWith(`/${team}/`))
            .map(({ name, path, tags, keys }) => ({
              name,
              path,
              tags: { ...tags },
              keys: keys.map(({ id, status, createdAt, lastUsedAt }) => ({
                id,
                status,
                createdAt: seconds(createdAt),
                ...(lastUsedAt === undefined ? {} : { lastUsedAt: seconds(lastUsedAt), lastUsedService: 's3' }),
              })),
            })),
        ),
      createKey: (name) =>
        effect('CreateAccessKey', () => {
          if (userNamed(name).keys.length >= 2) throw new KitError('state-changed', 'two keys already');
          const key = this.makeKey(name, false);
          return { accessKeyId: key.id, secretAccessKey: key.secret, createdAt: seconds(key.createdAt) };
        }),
      setStatus: (name, id, status) =>
        effect(`UpdateAccessKey ${status}`, () => {
          const key = userNamed(name).keys.find((candidate) => candidate.id === id);
          if (key === undefined) throw new KitError('state-changed', `no key ${id}`);
          if (status === 'Inactive' && !this.leaked.has(id))
            for (const holder of this.holders(id)) this.violated(`${id} deactivated while ${holder} holds it`);
          if (status === 'Active' && this.leaked.has(id)) this.violated(`leaked key ${id} reactivated`);
          if (status === 'Active' && key.status === 'Inactive') key.knownAt = this.now + this.keyDelay;
          key.status = status;
        }),
      deleteKey: (name, id) =>
        effect('DeleteAccessKey', () => {
          const user = userNamed(name);
          const key = user.keys.find((candidate) => candidate.id === id);
          if (key?.foreign && !this.mayDeleteUnknown.has(id)) this.violated(`unknown key ${id} deleted`);
          if (!this.leaked.has(id)) for (const holder of this.holders(id)) this.violated(`${id} deleted while ${holder} holds it`);
          user.keys = user.keys.filter((candidate) => candidate.id !== id);
        }),
      tag: (name, key, value) => effect('TagUser', () => void (userNamed(name).tags[key] = value)),
      untag: (name, keys) => effect('UntagUser', () => keys.forEach((key) => delete userNamed(name).tags[key])),
      usersInStack: () =>
        look('ListStackResources', () => new Set([...this.users.values()].filter(({ inStack }) => inStack).map(({ name }) => name))),
      deleteUser: (name) =>
        effect('DeleteUser', () => {
          if ((this.users.get(name)?.keys.length ?? 0) > 0) throw new KitError('aws-failed', 'DeleteConflict');
          if (this.users.get(name)?.inStack) this.violated(`user ${name} of the stack deleted`);
          this.users.delete(name);
        }),
    };
  }

  #secretsPort(effect: Effect, look: Effect): SecretsPort {
    const versionsOf = (name: string) => {
      const versions = this.secrets.get(name);
      if (versions === undefined) throw new KitError('state-changed', `no secret ${name}`);
      return versions;
    };
    return {
      read: (name, keyIds) =>
        look('GetSecretValue', () => {
          const versions = this.secrets.get(name);
          return (
            versions &&
            [...versions].map(([versionId, { keyId, secret, stages }]) => ({
              versionId,
              keyId,
              stages: [...stages],
              ...(keyIds.includes(keyId) ? { secret } : {}),
            }))
          );
        }),
      putPending: (name, key: KeyPair) =>
        effect('PutSecretValue', () => {
          const versions = versionsOf(name);
          const id = secretVersionId(key.accessKeyId);
          if (versions.has(id)) return;
          for (const { stages } of versions.values()) stages.delete(STAGES.pending);
          // The first version of a secret is current, whatever it is put with.
          versions.set(id, {
            keyId: key.accessKeyId,
            secret: key.secretAccessKey,
            stages: new Set([STAGES.pending, ...(versions.size === 0 ? [STAGES.current] : [])]),
          });
        }),
      promote: (name, versionId, from) =>
        effect('UpdateSecretVersionStage', () => {
          const versions = versionsOf(name);
          const holder = [...versions].find(([, { stages }]) => stages.has(STAGES.current))?.[0];
          if (holder !== from) throw new KitError('state-changed', 'AWSCURRENT is elsewhere');
          if (holder === versionId) return;
          for (const { stages } of versions.values()) stages.delete(STAGES.previous);
          if (holder !== undefined) {
            versions.get(holder)?.stages.delete(STAGES.current);
            versions.get(holder)?.stages.add(STAGES.previous);
          }
          versions.get(versionId)?.stages.add(STAGES.current);
        }),
      dropPending: (name, versionId) =>
        effect('UpdateSecretVersionStage', () => {
          if (!versionsOf(name).get(versionId)?.stages.delete(STAGES.pending)) throw new KitError('state-changed', 'not pending');
        }),
      delete: (name) => effect('DeleteSecret', () => void this.secrets.delete(name)),
    };
  }

  #verifier(look: Effect): VerifierPort {
    let calls = 0;
    return {
      check: (_id, { accessKeyId }) =>
        look('verify', () => {
          const key = this.keyNamed(accessKeyId);
          if (key?.status !== 'Active') return 'inactive or gone';
          key.lastUsedAt = this.now;
          // While it spreads, some calls succeed, but never several in a row.
          return this.now >= key.knownAt || (calls += 1) % 3 === 0 ? undefined : 'not known yet';
        }),
    };
  }

  #appsPort(run: (operation: string, phase: 'before' | 'after' | 'look') => Promise<void>, look: Effect): AppsPort {
    const appNamed = (name: string): ModelApp => {
      const app = this.apps.get(name);
      if (app === undefined || app.deleted) throw new KitError('app-not-found', `no app ${name}`);
      this.settle(app);
      return app;
    };
    return {
      vars: (name) =>
        look('GET config-vars', () => {
          const app = appNamed(name);
          // While the rollback's release has not ended, its config vars do not show.
          if ((app.releases.at(-1)?.endedAt ?? 0) <= this.now) delete app.unseen;
          return { ...app.vars };
        }),
      flight: (name) =>
        look('GET flight', () => {
          const app = appNamed(name);
          if ((app.releases.at(-1)?.endedAt ?? 0) > this.now) delete app.unseen;
          const releases: Release[] = [...app.releases].reverse().map(({ version, description, createdAt, endedAt }) => ({
            id: `r${version}`,
            version,
            status: endedAt > this.now ? 'pending' : 'succeeded',
            current: false,
            description,
            createdAt: seconds(createdAt),
            updatedAt: seconds(Math.min(endedAt, this.now)),
          }));
          const work = (kind: string) => [...app.work].reverse().filter((item) => item.kind === kind);
          const builds = work('build').map(({ id, startedAt, endedAt }): Build => {
            const ended = endedAt !== undefined && endedAt <= this.now;
            return {
              id,
              status: ended ? 'succeeded' : 'pending',
              createdAt: seconds(startedAt),
              updatedAt: seconds(ended ? endedAt : startedAt),
            };
          });
          const dynos = work('dyno')
            .filter((item) => this.running(app).includes(item))
            .map(({ id, startedAt, release }): Dyno => ({
              id,
              name: id,
              type: 'run',
              state: 'up',
              releaseVersion: release,
              createdAt: seconds(startedAt),
              command: '',
            }));
          return flightOf(releases, builds, dynos);
        }),
      write: async (writes, { guard }) => {
        const reports: AppWritten[] = [];
        for (const write of writes) {
          const name = write.app;
          try {
            await guard();
            await run('PATCH config-vars', 'before');
            this.pass(100);
            const app = appNamed(name);
            const vars = { ...app.vars };
            for (const [key, value] of Object.entries(patchOf(write)))
              if (value === null) delete vars[key];
              else vars[key] = value;
            const keyId = vars.HALCYON_AWS_ACCESS_KEY_ID;
            if (keyId !== undefined && this.keyNamed(keyId)?.status !== 'Active')
              this.violated(`${name} given ${keyId}, which is not active`);
            if (keyId !== undefined && this.keyNamed(keyId)?.secret !== vars.HALCYON_AWS_SECRET_ACCESS_KEY)
              this.violated(`${name} given a wrong secret`);
            if (keyId !== undefined && (this.keyNamed(keyId)?.knownAt ?? 0) > this.now)
              this.violated(`${name} given ${keyId} before it works everywhere`);
            if (app.broken) throw new KitError('release-failed', `the release command of ${name} failed`);
            const version = this.release(app, vars, `Set ${write.changes.join(', ')} config vars`, this.releaseTime);
            app.rolledBack = false;
            delete app.unseen;
            await run('PATCH config-vars', 'after');
            this.pass(this.releaseTime);
            await run('release', 'look');
            const after = appNamed(name);
            const ok = after.vars.HALCYON_AWS_ACCESS_KEY_ID === keyId;
            reports.push({
              app: name,
              ok,
              release: version,
              ...(ok ? {} : { error: { code: 'config-vars-not-taken', message: 'someone else wrote' } }),
            });
          } catch (error) {
            if (!(error instanceof KitError)) throw error;
            reports.push({
              app: name,
              ok: false,
              error: { code: error.code === 'aws-unavailable' ? 'heroku-ambiguous' : error.code, message: error.message },
            });
          }
        }
        return reports;
      },
    };
  }

  #lease(effect: Effect, look: Effect): LeaseStore {
    const write = (body: string): string => {
      this.leaseObject = { body, etag: `e${this.serial()}`, at: this.now };
      return this.leaseObject.etag;
    };
    return {
      place: 's3://bucket/lease',
      create: (body) => effect('PutObject lease', () => (this.leaseObject === undefined ? write(body) : undefined)),
      read: () =>
        look(
          'GetObject lease',
          () => this.leaseObject && { body: this.leaseObject.body, etag: this.leaseObject.etag, ageMs: this.now - this.leaseObject.at },
        ),
      replace: (body, etag) => effect('PutObject lease', () => (this.leaseObject?.etag === etag ? write(body) : undefined)),
      remove: (etag) =>
        effect('DeleteObject lease', () => {
          if (this.leaseObject?.etag === etag) this.leaseObject = undefined;
        }),
    };
  }
}

type Effect = <T>(operation: string, work: () => T) => Promise<T>;

/** IAM and Heroku tell times in whole seconds. */
const seconds = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString();

const newApp = (now: number): ModelApp => ({
  vars: {},
  releases: [{ version: 1, description: 'Initial release', createdAt: now, endedAt: now, vars: {} }],
  work: [],
  deleted: false,
  rolledBack: false,
  broken: false,
});
