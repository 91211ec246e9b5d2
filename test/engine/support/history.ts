import type { KitConfig } from '../../../lib/config/index.js';
import type { Team } from '../../../lib/config/model.js';
import { holdersOf, principalsOf, principalOf } from '../../../lib/config/derive.js';
import { halcyonBucket, secretName, STAGES, TAGS, userName } from '../../../lib/contract/index.js';
import { DEFAULT_POLICY, type Intent, type Policy, type TeamResult } from '../../../lib/engine/model.js';
import { reconcile } from '../../../lib/engine/run/reconcile.client.js';
import { KitError } from '../../../lib/errors.js';
import { configFor, STAGE, type ModelFile } from './model-file.js';
import { runContext } from './run-context.js';
import { Crash, type Hook, type Phase } from './world/process.js';
import { World } from './world/world.js';

/** Something that happens at the `at`-th moment of a run: a moment is before or after an effect, or before a look. */
export interface Happening {
  readonly at: number;
  readonly what:
    | 'crash'
    | 'lost-or-refused'
    | 'burst'
    | 'build'
    | 'dyno'
    | 'app-deleted'
    | 'rollback'
    | 'release-fails'
    | 'foreign-key'
    | 'second-operator'
    | 'sleep'
    | 'clock'
    | 'renamed'
    | 'list-lag'
    | 'time';
  readonly n: number;
}
export interface Operation {
  readonly intent: 'ensure' | 'rotate' | 'rotate-smoke-fails' | 'finish' | 'undo' | 'emergency' | 'down' | ModelFile;
  readonly happenings: readonly Happening[];
}
export interface History {
  readonly first: ModelFile;
  readonly keyDelay: number;
  readonly releaseTime: number;
  readonly soak: number;
  readonly operations: readonly Operation[];
}

/** Moments a single run may take: the bound of the promise that it comes to an end. */
const MOMENTS = 4000;

export class Play {
  readonly world = new World();
  /** What the file says, and the principals that the stack has for it. */
  config: KitConfig;
  readonly policy: Policy;
  /** Each moment of the longest run. */
  longest: readonly Phase[] = [];
  constructor(readonly history: History) {
    this.world.iam.keyDelay = history.keyDelay;
    this.world.heroku.releaseTime = history.releaseTime;
    this.config = configFor(history.first);
    this.policy = { ...DEFAULT_POLICY, soak: history.soak, poll: 180_000, patience: 30 * 60_000, verifications: 4, concurrency: 1 };
  }

  get team(): Team {
    return this.config.teams[0] as Team;
  }

  /** One process from start to end; `crashed` when it was killed. */
  async run(
    intent: Intent,
    happenings: readonly Happening[],
    options: { smokeFails?: boolean; nested?: boolean } = {},
  ): Promise<TeamResult | 'crashed'> {
    const moments: Phase[] = [];
    let trouble = 0;
    const hook: Hook = async (operation, phase) => {
      const moment = moments.push(phase);
      if (moment > MOMENTS) throw new Error(`no end after ${MOMENTS} moments, at ${operation}`);
      for (const happening of happenings)
        if (happening.at === moment) trouble = Math.max(trouble, await this.happen(happening, operation, phase));
      if (trouble > 0) {
        trouble -= 1;
        throw new KitError(
          operation === 'CreateAccessKey' && phase === 'after' ? 'aws-ambiguous' : 'aws-unavailable',
          `${operation} ${phase}: no answer`,
        );
      }
    };
    const id = `owner-${this.world.serial()}`;
    const context = runContext(this.world, this.config, {
      hook,
      policy: this.policy,
      owner: { id, who: 'operator@test', pid: 1, machine: '', since: new Date(this.world.now).toISOString(), ttl: this.policy.leaseTtl },
      isGone: (other) => this.#dead.has(other.id),
      ...(options.smokeFails === undefined
        ? {}
        : {
            smoke: async () => {
              if (options.smokeFails) throw new KitError('smoke-failed', 'the build failed');
            },
          }),
    });
    try {
      const result = await reconcile(context, intent);
      if (moments.length > this.longest.length) this.longest = moments;
      return result;
    } catch (error) {
      if (!(error instanceof Crash)) throw error;
      this.#dead.add(id);
      return 'crashed';
    }
  }
  readonly #dead = new Set<string>();

  /** The stage, where there is one. */
  #stage = (app: string): string => (this.world.heroku.apps.has(STAGE) ? STAGE : app);

  /** @returns how many answers in a row go wrong. */
  private async happen({ what, n }: Happening, operation: string, phase: string): Promise<number> {
    const { world } = this;
    // A stage has no releases, and no dynos of its own.
    const app = n % 3 === 2 && (what === 'build' || what === 'app-deleted') ? this.#stage(`app-${n % 4}`) : `app-${n % 4}`;
    switch (what) {
      case 'crash':
        throw new Crash(`${operation} ${phase}`);
      case 'lost-or-refused':
        return 1;
      case 'burst':
        return 2 + (n % 9);
      case 'build':
        world.heroku.startWork(app, 'build', 1000 + (n % 1000) * 900);
        return 0;
      case 'dyno':
        world.heroku.startWork(app, 'dyno', 1000 + (n % 1000) * 3000);
        return 0;
      case 'app-deleted': {
        const found = world.heroku.apps.get(app);
        if (found !== undefined) found.deleted = true;
        return 0;
      }
      case 'rollback':
        world.heroku.rollBack(app);
        return 0;
      case 'release-fails': {
        const found = world.heroku.apps.get(app);
        if (found !== undefined) found.broken = true;
        return 0;
      }
      case 'foreign-key': {
        const users = [...world.iam.users.values()].filter(({ keys }) => keys.length < 2);
        const user = users[n % Math.max(1, users.length)];
        if (user === undefined) return 0;
        // Out of the few minutes in which an intention stands; see isOrphan.
        world.pass(20 * 60_000);
        world.iam.makeKey(user.name, true);
        world.pass(20 * 60_000);
        return 0;
      }
      case 'second-operator':
      case 'sleep': {
        // Suspended for longer than the lease lives, while another goes on.
        if (what === 'sleep') world.pass(this.policy.leaseTtl * 3);
        await this.run(n % 2 === 0 ? { kind: 'ensure' } : { kind: 'rotate', due: false }, []);
        return 0;
      }
      case 'clock':
        // Up to an hour ahead or behind.
        world.skew = ((n % 21) - 10) * 6 * 60_000;
        return 0;
      case 'renamed':
        world.heroku.rename(app);
        return 0;
      case 'list-lag':
        world.iam.lag(n * 55);
        return 0;
      case 'time':
        world.pass(n * 1000);
        return 0;
    }
  }

  async operate({ intent, happenings }: Operation): Promise<void> {
    const { world } = this;
    if (typeof intent === 'object') {
      this.config = configFor(intent);
      this.deploy();
      await this.run({ kind: 'ensure' }, happenings);
    } else if (intent === 'emergency') {
      const keyId = [...world.iam.users.values()].flatMap(({ keys }) => keys.filter(({ foreign }) => !foreign)).at(-1)?.id;
      if (keyId === undefined) return;
      world.iam.leaked.add(keyId);
      await this.run({ kind: 'emergency', keyId }, happenings);
      // Whoever reports a leak makes sure that it was understood; until then nobody can know.
      const marked = () => [...world.iam.users.values()].some(({ tags }) => tags[`halcyon:refused:${keyId}`] !== undefined);
      if (world.iam.keyNamed(keyId) !== undefined && !marked()) await this.run({ kind: 'emergency', keyId }, []);
    } else if (intent === 'rotate' || intent === 'rotate-smoke-fails') {
      await this.run({ kind: 'rotate', due: false }, happenings, { smokeFails: intent === 'rotate-smoke-fails' });
    } else if (intent === 'down') {
      await this.run({ kind: 'down', force: false }, happenings);
    } else {
      await this.run({ kind: intent as 'ensure' | 'finish' | 'undo' }, happenings);
    }
  }

  /** Deploy the stack of the file. */
  deploy(): void {
    this.config = { ...this.config, teams: [this.world.deploy(this.team)] };
  }

  /** Nothing goes wrong any more: a few runs must be enough. */
  async settle(): Promise<void> {
    const { world } = this;
    this.deploy();
    for (const [id, app] of world.heroku.apps) {
      app.broken = false;
      if (world.heroku.nameOf(id) !== id) world.heroku.rename(id);
    }
    // Whoever reports a leak makes sure of it.
    for (const keyId of world.iam.leaked) if (world.iam.keyNamed(keyId) !== undefined) await this.run({ kind: 'emergency', keyId }, []);
    for (let attempt = 0; attempt < 8; attempt += 1) {
      world.pass(4 * 3_600_000);
      const ensured = await this.run({ kind: 'finish' }, []);
      if (ensured === 'crashed') throw new Error('cannot crash here');
      if (ensured.status === 'done' || ensured.status === 'nothing-due') return;
      for (const { code, text } of ensured.blocked) {
        const id = code === 'unknown-key' ? /AKIA\d+/.exec(text)?.[0] : undefined;
        if (id === undefined) continue;
        world.iam.mayDeleteUnknown.add(id);
        await this.run({ kind: 'delete-unknown', keyId: id }, []);
      }
      // What left the file keeps its key until it is asked to go.
      if (ensured.waiting.some(({ kind, text }) => kind === 'holds' && text.includes('no team of the file')))
        await this.run({ kind: 'ensure', prune: true }, []);
      if (attempt === 7) throw new Error(`does not come to rest: ${JSON.stringify(ensured, null, 1)}`);
    }
  }

  /** What is wrong with the world at rest. */
  faults(): string[] {
    const { world, team } = this;
    const wrong: string[] = [...world.violations];
    const declared = principalsOf(team);
    for (const principal of declared) {
      const user = world.iam.users.get(userName(principal));
      const keys = user?.keys ?? [];
      const current = [...(world.secrets.all.get(secretName(principal))?.values() ?? [])].find(({ stages }) => stages.has(STAGES.current));
      if (keys.length !== 1 || keys[0]?.status !== 'Active')
        wrong.push(`${userName(principal)} has ${keys.map(({ id, status }) => `${id} ${status}`).join(', ') || 'no key'}`);
      if (keys[0]?.id !== current?.keyId) wrong.push(`${userName(principal)}: current is ${current?.keyId}, not ${keys[0]?.id}`);
      const left = Object.keys(user?.tags ?? {}).filter(
        (name) => ![TAGS.bucket, TAGS.prefix, TAGS.region, TAGS.acl].includes(name as never),
      );
      if (left.length > 0) wrong.push(`${userName(principal)} has tags left: ${left.join(', ')}`);
      if (keys.some(({ id }) => world.iam.leaked.has(id))) wrong.push(`${userName(principal)} still has a leaked key`);
    }
    for (const user of world.iam.users.values()) {
      if (declared.some((principal) => userName(principal) === user.name)) continue;
      wrong.push(`${user.name} is no longer wanted and still there, with ${user.keys.map(({ id }) => id).join(', ') || 'no key'}`);
    }
    // Who took a team down left its packages where they were.
    if (!this.history.operations.some(({ intent }) => intent === 'down') && team.bucket !== undefined) {
      const here = halcyonBucket(team.bucket.spec.name, team.bucket.prefix);
      for (const place of world.packages.all.keys()) {
        const left = world.packages.lacking(place, here);
        if (left.length > 0) wrong.push(`${left.join(', ')} of ${place} did not follow to ${here}`);
      }
    }
    for (const app of holdersOf(team)) {
      const state = world.heroku.apps.get(app.name);
      if (state === undefined || state.deleted) continue;
      const principal = principalOf(team, app);
      const expected = principal === undefined ? undefined : world.iam.users.get(userName(principal))?.keys[0];
      if (state.vars.HALCYON_AWS_ACCESS_KEY_ID !== expected?.id)
        wrong.push(`${app.name} holds ${state.vars.HALCYON_AWS_ACCESS_KEY_ID}, not ${expected?.id}`);
      if (state.vars.HALCYON_AWS_SECRET_ACCESS_KEY !== expected?.secret) wrong.push(`${app.name} holds a wrong secret`);
      if ((state.vars.HALCYON_NO_UPLOAD === '1') !== (app.mode === 'read-only'))
        wrong.push(`${app.name}: HALCYON_NO_UPLOAD is wrong for ${app.mode}`);
    }
    for (const [name, { vars, deleted, rolledBack }] of world.heroku.apps) {
      const held = vars.HALCYON_AWS_ACCESS_KEY_ID;
      if (held !== undefined && !deleted && !rolledBack && !world.iam.leaked.has(held) && world.iam.keyNamed(held)?.status !== 'Active')
        wrong.push(`${name} holds ${held}, which does not work`);
    }
    return wrong;
  }
}

/** Play a history to its end. @returns what is wrong: nothing, if the promises hold. */
export async function play(history: History): Promise<string[]> {
  const made = new Play(history);
  made.deploy();
  for (const operation of history.operations) {
    await made.operate(operation);
    // Whoever runs it again at once meets lists that are behind.
    made.world.pass(made.world.iam.isBehind ? 1000 : 60_000);
    if (made.world.violations.length > 0) return made.world.violations;
  }
  await made.settle();
  return made.faults();
}
