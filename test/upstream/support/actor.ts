import { randomBytes } from 'node:crypto';
import type { ConfigVarName } from '../../../lib/contract/index.js';
import { DEFAULT_GHC, labelOf, platformOf, sourceHash, sourceTree } from '../../../lib/smoke/archive.js';
import { buildOn } from '../../../lib/smoke/build.client.js';
import type { Built } from '../../../lib/smoke/causes.plan.js';
import { expectedConfigVars } from '../../../lib/smoke/proofs.plan.js';
import { networkOf } from '../../../lib/network/network.js';
import { runScript, type DynoRun } from '../../../lib/smoke/dyno.client.js';
import { Objects } from '../../../lib/smoke/objects.client.js';
import { openPage } from '../../../lib/smoke/page.client.js';
import { attemptProof, type Attempt } from '../../../lib/smoke/requests.plan.js';
import type { Proof } from '../../../lib/smoke/report.js';
import { buildScript, dynoScript } from '../../../lib/smoke/script.js';
import { tarball, type FileSpec } from '../../../lib/tarball.js';
import type { LogEntry } from '../../../sandbox/index.js';
import type { Stage } from './stage.js';
import { toolchain } from './toolchain.js';

/** A source tree, and what Halcyon makes of it. */
export interface Source {
  readonly files: Readonly<Record<string, FileSpec>>;
  /** NAME-VERSION. */
  readonly label: string;
  readonly hash: string;
  /** What the page of the app says. */
  readonly nonce: string;
}

/** A web app that needs two packages; each call writes another program, with the same dependencies. */
export function source(name: string): Source {
  const nonce = randomBytes(8).toString('hex');
  const files = { ...sourceTree(name, nonce), 'cabal.config': { content: 'constraints: base ==4.7.0.2,\n             text ==1.1.0.0\n' } };
  return { files, label: labelOf(name), hash: sourceHash(files), nonce };
}

/** What one act was seen to do: of S3 asked what, with the app's own key, in order. */
export interface Act {
  readonly requests: readonly LogEntry[];
  readonly lines: readonly string[];
}
export type Deployment = Act & Built;
export type Run = Act & DynoRun;

/** An app on the stage: deploys sources and runs dynos, as its owner would, with the config vars that the kit wrote. */
export class Actor {
  private release = 0;

  private constructor(
    private readonly stage: Stage,
    readonly app: string,
    readonly platform: string,
    readonly vars: Partial<Record<ConfigVarName, string>>,
  ) {}

  static async enter(stage: Stage, app: string): Promise<Actor> {
    const { stack } = await stage.heroku.app(app);
    return new Actor(stage, app, platformOf(stack) ?? '', await stage.heroku.configVars(app));
  }

  get bucket(): string {
    return (this.vars.HALCYON_S3_BUCKET ?? '').split('/')[0] ?? '';
  }

  /** `prefix/`, or nothing. */
  get prefix(): string {
    const [, ...parts] = (this.vars.HALCYON_S3_BUCKET ?? '').split('/');
    return parts.map((part) => `${part}/`).join('');
  }

  /** Where archives that belong to one compiler are, in the log's words. */
  get place(): string {
    return `${this.bucket}/${this.prefix}${this.platform}/ghc-${DEFAULT_GHC}`;
  }

  install(of: Source): string {
    return `${this.place}/halcyon-install-${of.hash.slice(0, 7)}-${of.label}.tar.gz`;
  }

  /** Put compiler and cabal where this app looks for them, with the deployer's rights. */
  async plantToolchain(region: string): Promise<void> {
    const objects = new Objects(this.stage.aws(region), { name: this.bucket, account: this.stage.account });
    for (const [key, archive] of toolchain(this.platform)) await objects.put(`${this.prefix}${key}`, archive);
  }

  deploy(of: Source): Promise<Deployment> {
    return this.act(async () => {
      const built = await buildOn(this.stage.heroku, this.app, tarball(of.files), { version: of.hash.slice(0, 7), say: () => {} });
      this.release = built.release?.version ?? this.release;
      return { ...built, lines: built.log.lines };
    });
  }

  /** `heroku run build`. */
  build(): Promise<Run> {
    return this.act(() => this.run(buildScript));
  }

  /** Requests of Halcyon's own S3 functions, on a dyno; what it sees of the config vars is not looked at. */
  async attempt(list: readonly Attempt[]): Promise<Act & { readonly proofs: readonly Proof[] }> {
    const run = await this.act(() => this.run((mark) => dynoScript(mark, expectedConfigVars({ mode: 'public' }, undefined), list)));
    return { ...run, proofs: list.map((attempt, number) => attemptProof(attempt, run.outcomes.get(number))) };
  }

  /** `found`, or what the app's URL said, or why there is nothing to open. */
  async page(of: Source): Promise<string> {
    const { heroku } = this.stage;
    try {
      await heroku.scale(this.app, 'web', 1);
    } catch (error) {
      return (error as Error).message; // a buildpack alone has no web process
    }
    const page = await openPage((await heroku.app(this.app)).webUrl, of.nonce, { network: networkOf(), timeoutMs: 60_000 });
    await heroku.scale(this.app, 'web', 0);
    return page;
  }

  private run(script: (mark: string) => string): Promise<DynoRun> {
    const mark = `mark-${randomBytes(4).toString('hex')}`;
    return runScript(this.stage.heroku, this.app, script(mark), { mark, timeToLive: 120, release: this.release });
  }

  /** Without a key of its own, whoever asked for anything named like the app counts. */
  private async act<T extends { readonly lines: readonly string[] }>(work: () => Promise<T>): Promise<T & Act> {
    const { aws } = this.stage.sandbox;
    const from = aws.log().length;
    const done = await work();
    const key = this.vars.HALCYON_AWS_ACCESS_KEY_ID;
    const mine = (entry: LogEntry) => (key === undefined ? entry.resource?.includes(this.app) : entry.accessKeyId === key);
    const requests = aws
      .log()
      .slice(from)
      .filter((entry) => entry.service === 's3' && mine(entry));
    return { ...done, requests };
  }
}

/** `GET 404 bucket/key` lines: what was asked, and how it ended. */
export const told = ({ requests }: Act): string[] =>
  requests.map(({ operation, status, resource }) => `${METHODS[operation] ?? operation} ${status} ${resource}`);

const METHODS: Readonly<Record<string, string>> = { GetObject: 'GET', ListObjects: 'LIST', PutObject: 'PUT', DeleteObject: 'DELETE' };
