import { randomBytes } from 'node:crypto';
import type { Aws } from '../aws/aws.js';
import { storageOf } from '../config/derive.js';
import type { KitConfig } from '../config/model.js';
import type { AppStorage, KeyPair } from '../contract/index.js';
import type { Heroku } from '../heroku/heroku.js';
import type { IoHost, Step } from '../io/io-host.js';
import { redact } from '../io/redaction.js';
import type { Network } from '../network/network.js';
import type { Symptoms } from './causes.plan.js';
import { Made } from './made.client.js';
import { Objects } from './objects.client.js';
import { registerOf } from './register.client.js';
import type { Scope } from './requests.plan.js';
import { shortLivedName } from './name.js';
import { otherPrefixes, type Subject } from './subject.js';

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
  /** Directory of a team's own source; it is deployed to the subject's own app, and replaces what runs there. */
  readonly source?: string;
}

/** One smoke deploy under way: what each of its stages needs. */
export interface Run {
  /** Name of its app, its package, its objects, and the mark in its dynos' output. */
  readonly name: string;
  /** What its page says. */
  readonly nonce: string;
  readonly storage: AppStorage;
  /** The private bucket, as the deployer sees it, and what the app's key may do there; undefined in mode `public`. */
  readonly store?: { readonly objects: Objects; readonly scope: Scope };
  readonly made: Made;
  /** What it has shown so far, output of its one-off dynos included. */
  readonly seen: Symptoms & { readonly dynoLines: string[] };
  readonly heroku: Heroku;
  readonly network: Network;
  readonly signal?: AbortSignal;
  /** What it is about now. */
  readonly say: (detail: string) => void;
  /** A line of a build's or a dyno's output: for `--verbose`, the evidence keeps it anyway. */
  readonly trace: (line: string) => void;
}

export function startRun({ config, aws, heroku, io, signal }: SmokeContext, { team, app, access }: Subject, step: Step): Run {
  const name = shortLivedName('smoke');
  const storage = storageOf(config, team, app);
  const { acl, prefix } = storage;
  const store =
    access && acl && team.bucket !== undefined
      ? { objects: new Objects(aws, team.bucket.spec), scope: { access, prefix, acl, run: name, others: otherPrefixes(config, team) } }
      : undefined;
  const where = { signing: config.signing.version, privateStorage: store !== undefined };
  return {
    name,
    nonce: randomBytes(12).toString('hex'),
    storage,
    store,
    seen: { ...where, proofs: [], builds: [], attempts: [], refusals: [], dynoLines: [] },
    made: new Made(name, registerOf(aws, team)),
    heroku,
    network: aws.network,
    signal,
    say: (detail) => step.update(redact(detail)),
    trace: (line) => io.debug(`${name}: ${redact(line)}`),
  };
}
