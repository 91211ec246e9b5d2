import { activityOf } from '../../../../lib/engine/ports/heroku-apps.client.js';
import type { AppsPort } from '../../../../lib/engine/ports/ports.js';
import { KitError } from '../../../../lib/errors.js';
import { patchOf, type AppReport } from '../../../../lib/heroku/sync.js';
import type { Build, Dyno, Heroku, Release } from '../../../../lib/heroku/heroku.js';
import { withStages } from '../../../../lib/heroku/stages.js';
import { STAGE } from '../model-file.js';
import type { Holders } from './holders.js';
import type { Iam } from './iam.js';
import type { Packages } from './packages.js';
import { seconds, type Process, type Shared } from './process.js';

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
  /** Someone changed its config vars since we last wrote them: a write from an older look mends a part of it only. */
  changedByOthers?: boolean;
}

/** Apps, their releases, and what runs on them. */
export class HerokuApps {
  /** By id, which is the name that each was made with. */
  readonly apps = new Map<string, ModelApp>();
  readonly #renamed = new Set<string>();
  releaseTime = 0;
  constructor(
    private readonly shared: Shared,
    private readonly iam: Iam,
    private readonly packages: Packages,
    private readonly record: Holders,
  ) {}

  create(name: string): void {
    if (!this.apps.has(name)) this.apps.set(name, newApp(this.shared.now));
  }

  /** To another name, or back. */
  rename(id: string): void {
    if (!this.#renamed.delete(id)) this.#renamed.add(id);
  }
  nameOf(id: string): string {
    return this.#renamed.has(id) ? `${id}-renamed` : id;
  }

  startWork(name: string, kind: 'build' | 'dyno', ms: number): void {
    const app = this.apps.get(name);
    if (app === undefined || app.deleted) return;
    this.settle(app);
    const holds = app.vars.HALCYON_AWS_ACCESS_KEY_ID;
    const settled = app.releases.filter(({ endedAt }) => endedAt <= this.shared.now).at(-1)?.version ?? 0;
    app.work.push({
      id: `w${this.shared.serial()}`,
      kind,
      startedAt: this.shared.now,
      release: settled,
      holds,
      endedAt: this.shared.now + ms,
    });
    const key = this.iam.keyNamed(holds);
    // It archives what it built.
    const place = app.vars.HALCYON_S3_BUCKET;
    if (key?.status === 'Active' && place !== undefined && app.vars.HALCYON_NO_UPLOAD === undefined)
      this.packages.add(place, `package-${this.shared.serial()}`);
    if (key !== undefined && key.status === 'Active') key.lastUsedAt = this.shared.now;
  }

  /** Back to the release before the latest that changed the key. */
  rollBack(name: string): void {
    const app = this.apps.get(name);
    if (app === undefined || app.deleted) return;
    this.settle(app);
    const now = app.vars.HALCYON_AWS_ACCESS_KEY_ID;
    const target = [...app.releases].reverse().find(({ vars }) => vars.HALCYON_AWS_ACCESS_KEY_ID !== now);
    if (target === undefined) return;
    app.unseen = this.shared.now;
    this.release(app, { ...target.vars }, `Rollback to v${target.version}`, this.releaseTime);
    const key = this.iam.keyNamed(target.vars.HALCYON_AWS_ACCESS_KEY_ID);
    app.changedByOthers = true;
    if (target.vars.HALCYON_AWS_ACCESS_KEY_ID !== undefined && key?.status !== 'Active') app.rolledBack = true;
  }

  private release(app: ModelApp, vars: Record<string, string>, description: string, ms: number): number {
    const version = (app.releases.at(-1)?.version ?? 0) + 1;
    app.releases.push({ version, description, createdAt: this.shared.now, endedAt: this.shared.now + ms, vars });
    if (ms === 0) app.vars = vars;
    return version;
  }

  /** Releases whose command has ended take effect. */
  private settle(app: ModelApp): void {
    const latest = app.releases.filter(({ endedAt }) => endedAt <= this.shared.now).at(-1);
    if (latest !== undefined) app.vars = latest.vars;
  }

  private running(app: ModelApp): ModelBuild[] {
    return app.deleted ? [] : app.work.filter(({ endedAt }) => endedAt === undefined || endedAt > this.shared.now);
  }

  /** What holds a key, in truth. */
  holders(keyId: string): string[] {
    return [...this.apps].flatMap(([name, app]) => {
      if (app.deleted) return [];
      this.settle(app);
      // Longer ago than a process may be suspended before its lease is lost is no excuse.
      const unseen = app.unseen !== undefined && this.shared.now - app.unseen < 120_000 ? app.unseen : undefined;
      const held = app.vars.HALCYON_AWS_ACCESS_KEY_ID === keyId && !app.rolledBack && unseen === undefined ? [`app ${name}`] : [];
      return [
        ...held,
        ...this.running(app)
          .filter(({ holds, startedAt }) => holds === keyId && startedAt < (unseen ?? Infinity))
          .map(({ id, kind }) => `${kind} ${id} of ${name}`),
      ];
    });
  }

  port(process: Process): AppsPort {
    // Apps are looked up once by name, as a command does at its start, and then asked for by id.
    const ids = new Map([...this.apps.keys()].map((id) => [this.nameOf(id), id]));
    const appNamed = (name: string): ModelApp => {
      const app = this.apps.get(ids.get(name) ?? '');
      if (app === undefined || app.deleted) throw new KitError('app-not-found', `no app ${name}`);
      this.settle(app);
      return app;
    };
    const buildsOf = (app: ModelApp): Build[] =>
      [...app.work]
        .reverse()
        .filter(({ kind }) => kind === 'build')
        .map(({ id, startedAt, endedAt }) => {
          const ended = endedAt !== undefined && endedAt <= this.shared.now;
          return {
            id,
            status: ended ? 'succeeded' : 'pending',
            createdAt: seconds(startedAt),
            updatedAt: seconds(ended ? endedAt : startedAt),
          };
        });
    // Since when a stage has its key is what this process saw.
    const stages = withStages({ now: () => this.shared.now } as Heroku, {
      pipeline: async (identity) => {
        appNamed(STAGE);
        return { id: identity, name: identity, createdAt: seconds(0) };
      },
      configVars: async () => ({ ...appNamed(STAGE).vars }),
      patch: async () => ({ ...appNamed(STAGE).vars }),
      runs: async () => buildsOf(appNamed(STAGE)),
    });
    return {
      id: (name) => ids.get(name),
      list: async () => {},
      find: (id) =>
        process.look('GET app', () => {
          const name = this.nameOf(id);
          ids.set(name, id);
          appNamed(name);
          return name;
        }),
      vars: (name) =>
        process.look('GET config-vars', () => {
          if (name === STAGE) return stages.configVars(name);
          const app = appNamed(name);
          // While the rollback's release has not ended, its config vars do not show.
          if ((app.releases.at(-1)?.endedAt ?? 0) <= this.shared.now) delete app.unseen;
          return { ...app.vars };
        }),
      activity: (name) =>
        process.look('GET activity', async () => {
          if (name === STAGE) return activityOf(await stages.releases(name), await stages.builds(name), []);
          const app = appNamed(name);
          if ((app.releases.at(-1)?.endedAt ?? 0) > this.shared.now) delete app.unseen;
          const releases: Release[] = [...app.releases].reverse().map(({ version, description, createdAt, endedAt }) => ({
            id: `r${version}`,
            version,
            status: endedAt > this.shared.now ? 'pending' : 'succeeded',
            current: false,
            description,
            createdAt: seconds(createdAt),
            updatedAt: seconds(Math.min(endedAt, this.shared.now)),
          }));
          const dynos = [...app.work]
            .reverse()
            .filter((item) => item.kind === 'dyno' && this.running(app).includes(item))
            .map(({ id, startedAt, release }): Dyno => ({
              name: id,
              type: 'run',
              state: 'up',
              releaseVersion: release,
              createdAt: seconds(startedAt),
              command: '',
            }));
          return activityOf(releases, buildsOf(app), dynos);
        }),
      members: async () => [],
      releasedSince: (written) =>
        process.look('POST filters/apps', () =>
          [...written].flatMap(([name, at]) => {
            // No list tells of stages.
            const app = name === STAGE ? undefined : this.apps.get(name);
            const last = app?.releases.filter(({ endedAt }) => endedAt <= this.shared.now).at(-1);
            return app?.deleted === false && last !== undefined && seconds(last.endedAt) <= at ? [] : [name];
          }),
        ),
      write: async (items) => {
        const reports: AppReport[] = [];
        for (const write of items) {
          const name = write.app;
          try {
            await process.moment('PATCH config-vars', 'before');
            await process.guard();
            process.exchange(100, () => {});
            const app = appNamed(name);
            const vars = { ...app.vars };
            for (const [key, value] of Object.entries(patchOf(write)))
              if (value === null) delete vars[key];
              else vars[key] = value;
            // What a rollback brought back since we looked is not ours: the next look mends it.
            const gives = !app.changedByOthers || write.changes.includes('HALCYON_AWS_ACCESS_KEY_ID');
            const keyId = gives ? vars.HALCYON_AWS_ACCESS_KEY_ID : undefined;
            if (keyId !== undefined && this.iam.keyNamed(keyId)?.status !== 'Active')
              this.shared.violated(`${name} given ${keyId}, which is not active`);
            if (keyId !== undefined && this.iam.keyNamed(keyId)?.secret !== vars.HALCYON_AWS_SECRET_ACCESS_KEY)
              this.shared.violated(`${name} given a wrong secret`);
            const to = this.iam.userOf(keyId);
            if (to !== undefined && !app.changedByOthers && !this.record.all.get(to)?.some(({ id }) => id === ids.get(name)))
              this.shared.violated(`${name} given ${keyId} of ${to} before that was written down`);
            const [before, now] = [app.vars.HALCYON_S3_BUCKET, vars.HALCYON_S3_BUCKET];
            const moved = before !== undefined && now !== undefined && before !== now && !app.changedByOthers;
            const lost = moved ? this.packages.lacking(before, now).filter((one) => this.packages.isOld(one)) : [];
            if (lost.length > 0) this.shared.violated(`${name} sent from ${before} to ${now}, which lacks ${lost.join(', ')}`);
            const reach = keyId === undefined || app.changedByOthers ? undefined : this.iam.reachOf(keyId);
            if (reach !== undefined && vars.HALCYON_S3_BUCKET !== reach.bucket)
              this.shared.violated(`${name} given ${keyId} for ${vars.HALCYON_S3_BUCKET}, which may reach ${reach.bucket}`);
            if (reach !== undefined && vars.HALCYON_NO_UPLOAD === undefined && vars.HALCYON_S3_ACL !== reach.acl)
              this.shared.violated(`${name} given ${keyId} to upload as ${vars.HALCYON_S3_ACL}, which may upload as ${reach.acl}`);
            if (keyId !== undefined && (this.iam.keyNamed(keyId)?.knownAt ?? 0) > this.shared.now)
              this.shared.violated(`${name} given ${keyId} before it works everywhere`);
            if (app.broken) throw new KitError('release-failed', `the release command of ${name} failed`);
            const takes = name === STAGE ? 0 : this.releaseTime;
            const version = this.release(app, vars, `Set ${write.changes.join(', ')} config vars`, takes);
            if (name === STAGE) await stages.patchConfigVars(name, {});
            if (gives) app.rolledBack = false;
            app.changedByOthers = false;
            delete app.unseen;
            await process.moment('PATCH config-vars', 'after');
            this.shared.pass(takes);
            await process.moment('release', 'look');
            const after = appNamed(name);
            const ok = after.vars.HALCYON_AWS_ACCESS_KEY_ID === vars.HALCYON_AWS_ACCESS_KEY_ID;
            reports.push({
              app: name,
              ok,
              release: version,
              confirmedAt: seconds(app.releases.find((one) => one.version === version)?.endedAt ?? 0),
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
}

const newApp = (now: number): ModelApp => ({
  vars: {},
  releases: [{ version: 1, description: 'Initial release', createdAt: now, endedAt: now, vars: {} }],
  work: [],
  deleted: false,
  rolledBack: false,
  broken: false,
});
