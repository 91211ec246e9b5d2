import { randomBytes } from 'node:crypto';
import type { Aws } from '../aws/aws.js';
import { storageOf } from '../config/derive.js';
import type { KitConfig } from '../config/model.js';
import { CONFIG_VAR_NAMES, halcyonBucket, keyPrefix, type AppStorage, type KeyPair } from '../contract/index.js';
import { KitError } from '../errors.js';
import type { Heroku, HerokuApp } from '../heroku/heroku.js';
import type { IoHost, Step } from '../io/io-host.js';
import { redact, registerSecret, registerUrlSecrets } from '../io/redaction.js';
import type { Refusal } from '../storage/refusals.js';
import { DEFAULT_GHC, installKey, installTree, labelOf, platformOf, sourceHash, sourceTree, type Install } from './archive.js';
import { buildOn, type Built } from './build.client.js';
import { causesOf } from './causes.plan.js';
import { runScript, type DynoRun } from './dyno.client.js';
import { diagnose } from './diagnose.client.js';
import { likeBuildpacks, likeConfigVars, withoutUserInfo } from './likeness.js';
import { currentKey } from './key.client.js';
import { storageLines, type BuildLog, type StorageLine } from './log.js';
import { Objects } from './objects.client.js';
import { openPage } from './page.client.js';
import {
  attempts,
  buildProofs,
  judgeAttempt,
  plantedKeys,
  proof,
  publicProofs,
  runPrefixes,
  type Attempt,
  type Ground,
} from './proofs.plan.js';
import type { BuildEvidence, Proof, SmokeReport } from './report.js';
import { attemptScript, buildScript, publicScript } from './script.js';
import { createShortLived, runOfKey, smokeName } from './short-lived.client.js';
import { packSource } from './source.js';
import { neighbours, type Subject } from './subject.js';
import { noteOf } from './sweep.js';
import { tarball } from '../tarball.js';

export interface SmokeContext {
  readonly config: KitConfig;
  /** The deployer's, in the region of the team's bucket; not used for public apps. */
  readonly aws: Aws;
  readonly heroku: Heroku;
  readonly io: IoHost;
  /** Ends the smoke deploy; what it made is removed all the same. */
  readonly signal?: AbortSignal;
  /** With signing version 4: URL of the SigV4 buildpack, put first. */
  readonly signingBuildpackUrl?: string;
}

export interface RunOptions {
  /** Key to prove instead of the principal's current one. */
  readonly key?: KeyPair;
  /** Also prove the way by a one-off dyno that builds and uploads. Needs GHC on the stack, or a buildpack that does without. */
  readonly prebuild?: boolean;
  /** Size of that dyno. Default: performance-l, for GHC's memory. */
  readonly prebuildSize?: string;
  /** Directory of a team's own source; it is deployed to the subject's own app, and replaces what runs there. */
  readonly source?: string;
}

/** One smoke deploy, from its first request to its last. */
export class SmokeRun {
  /** Name of this run: of its app, its package, its objects, and the mark in its dynos' output. */
  readonly name = smokeName();
  readonly #nonce = randomBytes(12).toString('hex');
  readonly #startedAt = new Date();
  readonly #storage: AppStorage;
  readonly #proofs: Proof[] = [];
  readonly #builds: BuildEvidence[] = [];
  readonly #dynoLines: string[] = [];
  readonly #leftovers: string[] = [];
  #tried: Array<{ attempt: Attempt; outcome?: string }> = [];
  #dynoStatus?: number;
  #lastBuild?: Built;
  #refusals: Refusal[] = [];
  #buildpacks: string[] = [];
  #key?: KeyPair;
  #platform = '';
  #stack = '';
  #archives: string[] = [];

  constructor(
    private readonly context: SmokeContext,
    private readonly subject: Subject,
    private readonly options: RunOptions,
    private readonly step: Step,
  ) {
    this.#storage = storageOf(context.config, subject.team, subject.app);
  }

  /** @throws what stops the run, after everything it made is removed. */
  async prove(): Promise<SmokeReport> {
    try {
      await this.#prove();
    } finally {
      await this.#cleanUp();
    }
    return this.#report();
  }

  async #prove(): Promise<void> {
    const { heroku, aws, signal } = this.context;
    const { app, principal } = this.subject;
    this.#say('looking at the app');
    const [like, vars, buildpacks] = await Promise.all([heroku.app(app.name), heroku.configVars(app.name), heroku.buildpacks(app.name)]);
    this.#buildpacks = likeBuildpacks(this.context.config, this.context.signingBuildpackUrl, buildpacks);
    this.#stack = like.stack;
    this.#platform = platformOf(like.stack) ?? '';
    if (principal) this.#key = this.options.key ?? (await currentKey(aws, principal));
    if (this.#key) registerSecret(this.#key.secretAccessKey);
    signal?.throwIfAborted();

    const ghc = vars.HALCYON_GHC_VERSION || DEFAULT_GHC;
    const own = this.options.source !== undefined;
    const target = own ? like : await this.#makeApp(like, vars);
    // One after another: none may still be on its way when an error sets off the removal.
    for (const key of this.#objects ? plantedKeys(this.#ground) : []) await this.#objects?.put(key, this.#nonce);
    const built = own ? await this.#proveOwnSource(target.name) : await this.#provePlanted(target.name, ghc);
    if (built.build.status !== 'succeeded') return;

    await this.#proveOnDyno(target.name, built);
    if (!own && built.log.deployed !== undefined) await this.#provePage(target);
    if (this.options.prebuild && !own && this.subject.mode === 'upload') await this.#provePrebuild(target.name, ghc);
  }

  async #makeApp(like: HerokuApp, vars: Record<string, string>): Promise<HerokuApp> {
    const { heroku, config } = this.context;
    this.#say(`making app ${this.name}`);
    const configVars = likeConfigVars(config, this.#storage, this.#key, vars);
    registerUrlSecrets([...Object.values(configVars), ...this.#buildpacks]);
    return createShortLived(heroku, { name: this.name, stack: like.stack, team: like.team, buildpacks: this.#buildpacks, configVars });
  }

  /** Build our own source, with the archive planted that its build will look for; without private storage there is nothing to plant. */
  async #provePlanted(app: string, ghc: string): Promise<Built> {
    const tree = sourceTree(this.name, this.#nonce);
    const source = tarball(tree);
    const install: Install = { platform: this.#platform, ghc, label: labelOf(this.name), hash: sourceHash(tree) };
    if (this.#objects && install.platform !== '') await this.#plant(install);
    let built = await this.#build(app, source, 'planted');
    if (!this.#objects) {
      this.#proofs.push(...publicProofs(built.log));
      return built;
    }
    const asked = this.#installAsked(built.log);
    if (asked && asked.hash === install.hash.slice(0, 7) && (asked.platform !== install.platform || asked.ghc !== install.ghc)) {
      // The stack is not the system we took it for; the build said where it looks.
      Object.assign(install, { platform: asked.platform, ghc: asked.ghc });
      this.#platform = asked.platform;
      await this.#plant(install);
      built = await this.#build(app, source, 'planted-again');
    }
    const fallback = this.#storage.publicStorage === 'fallback' && this.subject.mode === 'upload';
    const archive = `s3://${this.#bucket}/${installKey(install)}`;
    this.#proofs.push(
      ...buildProofs(built.log, {
        storage: fallback ? 'private and public' : 'private',
        hash: install.hash,
        archive,
        label: install.label,
      }),
    );
    return built;
  }

  async #plant(install: Install): Promise<void> {
    this.#say('planting a prebuilt archive');
    const key = await this.#note(install);
    await this.#objects?.put(key, tarball(installTree(install, this.name, this.#nonce)));
  }

  /** Write down an archive that is about to be, so that a later run finds it should this one be cut off. @returns its key. */
  async #note(install: Install): Promise<string> {
    const key = `${this.#keyPrefix}${installKey(install)}`;
    this.#archives.push(key);
    await this.#objects?.put(noteOf(this.name, key), this.#startedAt.toISOString());
    return key;
  }

  /** Where the build looked for the install archive of our package. */
  #installAsked(log: BuildLog): { platform: string; ghc: string; hash: string } | undefined {
    const pattern = /^s3:\/\/.*?([^/]+)\/ghc-([^/]+)\/halcyon-install-([0-9a-f]{7})-(.+)\.tar\.gz$/;
    const [, platform, ghc, hash, label] = log.install?.url.match(pattern) ?? [];
    return platform && ghc && hash && label === labelOf(this.name) ? { platform, ghc, hash } : undefined;
  }

  async #proveOwnSource(app: string): Promise<Built> {
    const built = await this.#build(app, await packSource(this.options.source ?? '.'), 'own source');
    const { log } = built;
    const private_ = log.storage?.includes('private') ? 'private' : (log.storage ?? 'nothing said of it');
    this.#proofs.push(
      ...(this.#objects ? [proof('build finds the storage', 'private', private_)] : publicProofs(log)),
      proof('app is deployed', 'yes', log.deployed ? 'yes' : log.buildpackOnly ? 'buildpack only' : 'no'),
    );
    return built;
  }

  async #build(app: string, source: Buffer, what: string): Promise<Built> {
    const { heroku, signal } = this.context;
    this.#say(`building (${what})`);
    const built = await buildOn(heroku, app, source, { version: `${this.name}-${what}`, say: (line) => this.#trace(line), signal });
    const { build, release, log } = built;
    this.#lastBuild = built;
    this.#noteUploads(log.requests);
    this.#builds.push({ id: build.id, status: build.status, ...(release ? { release: release.version } : {}), log: log.lines.slice(-200) });
    this.#proofs.push(proof(`build and release succeed (${what})`, 'succeeded', release?.status ?? build.status));
    return built;
  }

  async #proveOnDyno(app: string, built: Built): Promise<void> {
    this.#say("trying Halcyon's requests on a one-off dyno");
    const list = this.#objects ? attempts(this.#ground) : [];
    const script = this.#objects ? attemptScript(list, this.name) : publicScript(CONFIG_VAR_NAMES, this.name);
    const run = await this.#runScript(app, script, { timeToLive: 600, release: built.release?.version });
    this.#dynoStatus = run.status;
    if (!this.#objects) {
      this.#proofs.push(proof('dyno sees none of our config vars', 'none', run.outcomes.get(0) ?? 'not tried: the dyno ended before'));
      return;
    }
    this.#tried = list.map((attempt, number) => ({ attempt, outcome: run.outcomes.get(number) }));
    this.#proofs.push(...this.#tried.map(({ attempt, outcome }) => judgeAttempt(attempt, outcome)));
    this.#refusals = await diagnose(this.#tried, {
      team: this.subject.team,
      storage: this.#storage,
      key: this.#key,
      signing: this.context.config.signing.version,
      run: this.name,
      network: this.context.aws.network,
      signal: this.context.signal,
    });
  }

  async #provePage(app: HerokuApp): Promise<void> {
    const { heroku, signal } = this.context;
    this.#say('opening its page');
    await heroku.scale(app.name, 'web', 1);
    this.#proofs.push(
      proof(
        'page shows the nonce',
        'found',
        await openPage(app.webUrl, this.#nonce, { network: this.context.aws.network, timeoutMs: 90_000, signal }),
      ),
    );
  }

  /** A source nobody has built: buildpack only, built and uploaded on a dyno, found by the next build. */
  async #provePrebuild(app: string, ghc: string): Promise<void> {
    const tree = sourceTree(this.name, `${this.#nonce}-prebuilt`);
    const source = tarball(tree);
    await this.#note({ platform: this.#platform, ghc, label: labelOf(this.name), hash: sourceHash(tree) });
    const first = await this.#build(app, source, 'unbuilt');
    this.#proofs.push(proof('a source nobody has built', 'buildpack only', first.log.buildpackOnly ? 'buildpack only' : 'deployed'));
    this.#say('building on a one-off dyno');
    const size = this.options.prebuildSize ?? 'performance-l';
    const run = await this.#runScript(app, buildScript(this.name), { timeToLive: 3600, release: first.release?.version, size });
    const uploaded = storageLines(run.lines).find(({ action, url }) => action === 'Uploading' && url.includes('/halcyon-install-'));
    this.#proofs.push(
      proof(
        'one-off dyno builds and uploads',
        'exit 0, done',
        `exit ${run.status ?? 'unknown'}, ${uploaded?.outcome ?? 'nothing uploaded'}`,
      ),
    );
    const second = await this.#build(app, source, 'prebuilt');
    this.#proofs.push(
      proof(
        'next build finds what was uploaded',
        `${labelOf(this.name)}, done`,
        `${second.log.deployed ?? 'not deployed'}, ${second.log.install?.outcome ?? 'no download'}`,
      ),
    );
  }

  async #runScript(app: string, script: string, options: { timeToLive: number; release?: number; size?: string }): Promise<DynoRun> {
    const { heroku, signal } = this.context;
    const run = await runScript(heroku, app, script, { ...options, mark: this.name, signal, say: (line) => this.#trace(line) });
    this.#dynoLines.push(...run.lines);
    this.#noteUploads(storageLines(run.lines));
    return run;
  }

  /** What builds uploaded of this run's own package goes too: it is of no use without its source. All else, a GHC too, serves the team. */
  #noteUploads(requests: readonly StorageLine[]): void {
    if (this.options.source !== undefined) return;
    const bucket = `s3://${this.#storage.bucket}/`;
    for (const { action, url } of requests) {
      const key = url.startsWith(bucket) ? url.slice(bucket.length) : '';
      if (action === 'Uploading' && runOfKey(key) === this.name) this.#archives.push(key);
    }
  }

  /** Goes on whatever happened, and after an abort too. */
  async #cleanUp(): Promise<void> {
    const { heroku, io } = this.context;
    this.#say('removing what it made');
    const remove = async (what: string, work: () => Promise<unknown>) => {
      try {
        await work();
      } catch (error) {
        this.#leftovers.push(what);
        io.warn(
          `${what} could not be removed (${redact(error instanceof Error ? error.message : String(error))}); the next smoke deploy tries again`,
        );
      }
    };
    const objects = this.#objects;
    // Building first: it might still upload.
    if (this.options.source === undefined) await remove(`app ${this.name}`, () => heroku.deleteApp(this.name));
    if (!objects) return;
    await Promise.all([
      ...runPrefixes(this.#ground).map((prefix) => remove(`objects under ${prefix}`, () => objects.remove(prefix))),
      ...[...new Set(this.#archives)].map((key) => remove(key, () => objects.removeKey(key))),
    ]);
  }

  #report(): SmokeReport {
    const { team, mode, access, app } = this.subject;
    const { config } = this.context;
    const built = this.#lastBuild;
    const causes = causesOf({
      proofs: this.#proofs,
      signing: config.signing.version,
      privateStorage: this.#objects !== undefined,
      ...(built ? { build: { status: built.build.status, release: built.release?.status, log: built.log } } : {}),
      attempts: this.#tried,
      refusals: this.#refusals,
      dynoStatus: this.#dynoStatus,
    });
    const report: SmokeReport = {
      team: team.name,
      mode,
      ...(access ? { access } : {}),
      app: app.name,
      ok: this.#proofs.length > 0 && this.#proofs.every(({ ok }) => ok),
      proofs: this.#proofs,
      causes,
      evidence: {
        smokeApp: this.options.source === undefined ? this.name : app.name,
        stack: this.#stack,
        platform: this.#platform,
        buildpacks: this.#buildpacks.map(withoutUserInfo),
        ...(this.#objects ? { bucket: this.#bucket, endpoint: this.#storage.endpoint } : {}),
        signing: config.signing.version,
        ...(this.#key ? { keyId: this.#key.accessKeyId } : {}),
        startedAt: this.#startedAt.toISOString(),
        finishedAt: new Date().toISOString(),
        builds: this.#builds,
        dyno: this.#dynoLines.slice(-200),
        leftovers: this.#leftovers,
      },
    };
    return JSON.parse(redact(JSON.stringify(report))) as SmokeReport;
  }

  get #objects(): Objects | undefined {
    const name = this.#storage.mode === 'public' ? undefined : this.#storage.bucket;
    return name === undefined ? undefined : new Objects(this.context.aws, name);
  }

  get #ground(): Ground {
    const { access } = this.subject;
    const { acl, prefix } = this.#storage;
    if (access === undefined || acl === undefined) throw new KitError('unexpected', 'a public app has no ground to prove on');
    return { access, acl, run: this.name, others: neighbours(this.context.config, this.subject.team), ...(prefix ? { prefix } : {}) };
  }

  get #bucket(): string {
    return halcyonBucket(this.#storage.bucket ?? '', this.#storage.prefix);
  }

  get #keyPrefix(): string {
    return keyPrefix(this.#storage.prefix);
  }

  /** A line of a build's or a dyno's output: for `--verbose`, the evidence keeps it anyway. */
  #trace(line: string): void {
    this.context.io.debug(`${this.name}: ${redact(line)}`);
  }

  #say(detail: string): void {
    this.step.update(redact(detail));
  }
}
