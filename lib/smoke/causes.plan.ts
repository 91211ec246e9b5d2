import type { Build, Release } from '../heroku/heroku.js';
import type { Refusal } from '../storage/refusals.js';
import type { BuildLog } from './log.js';
import { causesInLog, type Whose } from './log-causes.plan.js';
import type { Cause, Proof } from './report.js';
import { attemptProof, type Tried } from './requests.plan.js';

export interface Built {
  readonly build: Pick<Build, 'id' | 'status'>;
  /** Undefined where the build failed. */
  readonly release?: Pick<Release, 'version' | 'status'>;
  readonly log: BuildLog;
}

/** What a smoke deploy has seen so far, as far as causes are read from it. */
export interface Symptoms {
  readonly proofs: Proof[];
  readonly signing: 2 | 4;
  readonly privateStorage: boolean;
  readonly about?: Whose;
  /** The dynos run the slug of the last. */
  readonly builds: Built[];
  readonly attempts: Tried[];
  /** Why S3 refuses the same requests, with the same key, from here. */
  readonly refusals: Refusal[];
  /** Status of the dyno's script; undefined where it never ended. */
  dynoStatus?: number;
}

interface Rule extends Cause {
  readonly applies: (seen: Symptoms & Partial<Built>) => boolean;
}

/** Something the key should be able to do ended like this. */
const failing = ({ attempts }: Symptoms, outcome: RegExp) =>
  attempts.some(
    ({ attempt, outcome: said }) =>
      (attempt.expected === 'allowed' || attempt.expected === 'absent') && !attemptProof(attempt, said).ok && outcome.test(said ?? ''),
  );

/** What the dyno's storage requests tell where the same requests from here tell nothing: the difference is on the dyno. */
const ONLY_THERE: readonly Rule[] = [
  {
    code: 'not-re-signed',
    message:
      'requests left the dyno with Signature Version 2, though the configuration says 4: the SigV4 buildpack is not in front of haskell-on-heroku, or did not run',
    remedy: 'run `halcyon-kit up`, which puts it first, and see `heroku buildpacks`',
    applies: (seen) => seen.signing === 4 && failing(seen, /^400/),
  },
  {
    code: 's3-unreachable',
    message: 'the S3 endpoint answers here, but not on the dyno: its certificate or host name is known on this machine only',
    remedy: 'use an endpoint that is public, with a certificate that the stack trusts; CURL_CA_BUNDLE names another authority',
    applies: ({ attempts }) => attempts.some(({ outcome = '' }) => /^(000|no answer)/.test(outcome)),
  },
  {
    code: 'refused-there-only',
    message:
      'S3 refused on the dyno what it allows from here: the key was not yet known everywhere, or a policy asks where requests come from',
    remedy: 'run again in a minute; look for aws:SourceIp and the like in policies of the user and the bucket',
    applies: (seen) => failing(seen, /^[345]\d\d/),
  },
];

/** Known causes, the more specific first. */
const RULES: readonly Rule[] = [
  {
    code: 'policy-too-wide',
    message: 'this key may do more than its mode should',
    remedy: 'look for other policies on the user and on the bucket, then deploy the stack again (`halcyon-kit up`)',
    applies: ({ attempts }) =>
      attempts.some(
        ({ attempt, outcome = '' }) => (attempt.expected === 'denied' || attempt.expected === 'refused') && /^(done|20\d)/.test(outcome),
      ),
  },
  {
    code: 'config-vars-differ',
    message: 'a build or dyno does not see our config vars as the mode asks, or Halcyon does not heed them',
    remedy:
      'look for a buildpack or a .profile.d script that sets them, and for a fork of Halcyon; on an app of your own run `halcyon-kit sync`',
    applies: ({ proofs }) => proofs.some(({ about, ok }) => !ok && about === 'config-vars'),
  },
  {
    code: 'storage-not-found',
    message: 'the build does not see private storage: a config var of ours is missing or empty, or HALCYON_NO_PRIVATE_STORAGE is set',
    remedy: 'run `halcyon-kit sync`, and unset HALCYON_NO_PRIVATE_STORAGE on the app',
    applies: ({ log, privateStorage }) => privateStorage && log?.storage !== undefined && !log.storage.includes('private'),
  },
  {
    code: 'storage-found',
    message: 'a build in mode public sees private storage: a config var of it was left behind',
    remedy: 'run `halcyon-kit sync`, which unsets what does not belong',
    applies: ({ log, privateStorage }) => !privateStorage && log?.storage?.includes('private') === true,
  },
  {
    code: 'source-changed',
    message:
      'the build sees another source tree than was sent: a buildpack before haskell-on-heroku adds files, so no archive can be foreseen',
    remedy: 'put haskell-on-heroku first, after the SigV4 buildpack, which adds none that count',
    applies: ({ proofs }) => proofs.some(({ about, ok }) => !ok && about === 'source'),
  },
  {
    code: 'no-haskell-on-heroku',
    message: 'the build never reached Halcyon: haskell-on-heroku is not among the buildpacks, or stopped early',
    remedy: 'see `heroku buildpacks`; `buildpack: { install: true }` in the file adds it',
    applies: ({ build, log }) => build !== undefined && log?.storage === undefined,
  },
  {
    code: 'release-failed',
    message: 'the build succeeded, but its release command failed',
    remedy: 'see `heroku releases:output`',
    applies: ({ release }) => release?.status === 'failed',
  },
  {
    code: 'build-failed',
    message: 'the build failed',
    remedy: 'see its log in the evidence',
    applies: ({ build }) => build?.status === 'failed',
  },
  {
    code: 'no-functions',
    message: 'the slug does not hold Halcyon’s S3 functions, so nothing could be tried with them',
    remedy: 'see the build’s log in the evidence: haskell-on-heroku did not finish',
    applies: ({ dynoStatus }) => dynoStatus === 90,
  },
  {
    code: 'dyno-silent',
    message: 'the one-off dyno ended, or its log was lost, before its last line came',
    remedy: 'run again; see `heroku ps` and https://status.heroku.com',
    applies: ({ attempts, dynoStatus }) => attempts.length > 0 && dynoStatus === undefined,
  },
  {
    code: 'page-not-served',
    message: 'the app was deployed, but its page does not answer',
    remedy: 'see `heroku logs`; the account may have no web dynos left',
    applies: ({ proofs, log }) => log?.deployed !== undefined && proofs.some(({ about, ok }) => !ok && about === 'page'),
  },
];

/** The known causes of what went wrong; empty where nothing did. Pure. */
export function causesOf(symptoms: Symptoms): Cause[] {
  if (symptoms.proofs.every(({ ok }) => ok)) return [];
  const last = symptoms.builds.at(-1);
  const refusals = symptoms.refusals.map(({ kind, message, fix }) => ({ code: kind, message, remedy: fix }));
  const rules = [...(refusals.length > 0 ? [] : ONLY_THERE), ...RULES];
  const seen = rules.filter((rule) => rule.applies({ ...symptoms, ...last }));
  const told = last === undefined ? [] : causesInLog(last.log, symptoms.about);
  return [...refusals, ...[...told, ...seen].map(({ code, message, remedy }) => ({ code, message, remedy }))];
}
