import { principalOf, s3Endpoint, storageOf } from '../config/derive.js';
import type { App, KitConfig, Team, TeamBucket } from '../config/model.js';
import { userPolicyOf } from '../constructs/file-policies.js';
import type { PolicyDocumentJson } from '../constructs/policies.js';
import {
  CONFIG_VAR_NAMES,
  CONFIG_VARS,
  desiredConfigVars,
  halcyonBucket,
  KEY_CONFIG_VARS,
  parseStage,
  principalLabel,
  secretName,
  withKeyVars,
  type ConfigVarName,
  type HeldConfigVars,
  type KeyPair,
} from '../contract/index.js';
import { renderTable } from '../io/table.js';

/** What an app gets, and why, in words. Pure. */

type Path = readonly string[];
/** The line of a setting, where the file has it. */
export type LineOf = (path: Path) => number | undefined;

/** A setting that a value comes from: of the file where it has a line, else the kit's default for it. */
interface Origin {
  readonly setting: string;
  readonly line?: number;
}

interface ExplainedVar {
  readonly name: ConfigVarName;
  /** `null`: unset. Absent where the kit makes it, and it was not asked; the secret always. */
  readonly value?: string | null;
  readonly from: readonly Origin[];
  /** What it says, or what Halcyon does by itself where it is unset. */
  readonly means: string;
  /** What the app has, where it was asked. */
  readonly live?: 'same' | 'differs' | 'not compared';
  /** Where it differs; never of the secret. */
  readonly has?: string | null;
}

export interface Explained {
  readonly app: string;
  readonly team: string;
  readonly mode: string;
  readonly principal?: string;
  readonly secret?: string;
  readonly configVars: readonly ExplainedVar[];
  /** What its key may do, as its policy says. */
  readonly may: readonly string[];
  /** What a build does with all that. */
  readonly build: readonly string[];
}

/** What was seen of an app: its config vars, and its principal's current key where that could be read. With secrets: they are compared, and go no further. */
export interface Live {
  readonly held: HeldConfigVars;
  readonly key?: KeyPair;
}

export function explainApp(config: KitConfig, team: Team, app: App, lineOf: LineOf, live?: Live): Explained {
  const principal = principalOf(team, app);
  const key = live?.key;
  const unkeyed = desiredConfigVars(storageOf(config, team, app));
  const wanted = key === undefined || principal === undefined ? unkeyed : withKeyVars(unkeyed, key);
  const origins = originsOf(config, team, app, lineOf);
  const configVars = CONFIG_VAR_NAMES.map((name): ExplainedVar => {
    const ofKey = principal !== undefined && KEY_CONFIG_VARS.includes(name);
    const known = !ofKey || key !== undefined;
    const secret = name === 'HALCYON_AWS_SECRET_ACCESS_KEY';
    const held = live?.held[name] ?? null;
    const same = held === wanted[name];
    return {
      name,
      ...(known && !(ofKey && secret) ? { value: wanted[name] } : {}),
      from: origins(name),
      means: ofKey || wanted[name] !== null ? CONFIG_VARS[name].says : CONFIG_VARS[principal ? name : withoutBucket(name)].unset,
      ...(live === undefined ? {} : { live: known ? (same ? 'same' : 'differs') : 'not compared' }),
      ...(live === undefined || same || secret ? {} : { has: held }),
    };
  });
  return {
    ...{ app: app.name, team: team.name, mode: app.mode === 'upload' && !app.clean ? 'upload (append-only)' : app.mode, configVars },
    ...(principal === undefined ? {} : { principal: principalLabel(principal), secret: secretName(principal) }),
    may: team.bucket === undefined || principal === undefined ? [] : mayOf(userPolicyOf(team.bucket, principal.access)),
    build: buildOf(config, team, app),
  };
}

/** Whose meaning counts: where there is no private bucket, the others say nothing. */
const withoutBucket = (name: ConfigVarName): ConfigVarName => (name === 'HALCYON_NO_PUBLIC_STORAGE' ? name : 'HALCYON_S3_BUCKET');

function originsOf(config: KitConfig, team: Team, app: App, lineOf: LineOf): (name: ConfigVarName) => Origin[] {
  const { bucket } = team;
  const ofTeam = ['teams', team.name];
  const staged = parseStage(app.name);
  const ofApp = [...ofTeam, ...(staged ? ['pipelines', staged.pipeline, staged.stage] : ['apps', app.name])];
  const made = bucket?.kind === 'shared' ? ['buckets', bucket.shared] : [...ofTeam, 'bucket'];
  const origin = (...path: string[]): Origin => {
    const line = lineOf(path);
    return { setting: path.join('.'), ...(line === undefined ? {} : { line }) };
  };
  const mode = origin(...ofApp, 'mode');
  const cleans = app.mode === 'upload' ? [origin(...ofApp, 'clean')] : [mode];
  const own = origin(...ofApp, 'publicStorage');
  return (name) => {
    if (app.mode === 'public' || bucket === undefined) return [mode];
    switch (name) {
      case 'HALCYON_AWS_ACCESS_KEY_ID':
      case 'HALCYON_AWS_SECRET_ACCESS_KEY':
        return [mode, origin(...ofTeam, 'credentials')];
      case 'HALCYON_S3_BUCKET': {
        const prefix = bucket.prefix === undefined ? [] : [origin(...ofTeam, 'bucket', 'prefix')];
        return [origin(...made, bucket.kind === 'existing' ? 'existing' : 'name'), ...prefix];
      }
      case 'HALCYON_S3_ENDPOINT':
        return [origin(...made, 'endpoint'), origin(...made, 'region')];
      case 'HALCYON_S3_REGION':
        return [origin('signing', 'version'), origin(...made, 'region')];
      case 'HALCYON_S3_ACL':
        return [origin(...made, 'acl')];
      case 'HALCYON_NO_UPLOAD':
        return [mode];
      case 'HALCYON_NO_CLEAN_PRIVATE_STORAGE':
        return cleans;
      case 'HALCYON_NO_PUBLIC_STORAGE':
        return app.mode === 'read-only' ? [mode] : [own.line === undefined ? origin(...ofTeam, 'publicStorage') : own];
    }
  };
}

const SAYS: Readonly<Record<string, string>> = {
  's3:GetObject': 'read',
  's3:DeleteObject': 'delete',
  's3:ListBucket': 'list',
  's3:PutObject': 'upload',
  's3:PutObjectAcl': 'set the ACL of',
  'kms:Decrypt': 'decrypt with',
  'kms:GenerateDataKey': 'encrypt with',
  's3:Put*': 'write',
  's3:Delete*': 'delete',
  's3:*': 'anything',
};

/** What a policy of the kit's own allows and denies, a line a statement. An action without a word is said as it is. @internal */
export function mayOf({ Statement }: PolicyDocumentJson): string[] {
  return Statement.map(({ Effect, Action = [], Resource, Condition }) => {
    const conditions = Object.assign({}, ...Object.values(Condition ?? {})) as Record<string, string | string[]>;
    const value = (name: string) => (conditions[name] === undefined ? undefined : [conditions[name]].flat().join(', '));
    const words = Action.map((action) => SAYS[action] ?? action).join(', ');
    const on = Resource.map((arn) => arn.replace(/^arn:[^:]+:s3:::/, 's3://').replace(/^arn:.*:key\/\*$/, 'KMS keys')).join(', ');
    const said = [
      value('s3:x-amz-acl') && `with the ACL ${value('s3:x-amz-acl')} and no other`,
      value('s3:prefix') && `below ${value('s3:prefix')}`,
      value('aws:ResourceAccount') && `of account ${value('aws:ResourceAccount')}`,
      value('kms:ViaService') && `through S3, for objects of this bucket`,
      value('aws:SecureTransport') && 'by plain HTTP',
      value('s3:TlsVersion') && `by TLS before ${value('s3:TlsVersion')}`,
    ].filter(Boolean);
    return `${Effect === 'Deny' ? 'not: ' : ''}${words}${on === '*' ? '' : ` ${on}`}${said.length === 0 ? '' : `, ${said.join(', ')}`}`;
  });
}

function buildOf(config: KitConfig, team: Team, app: App): string[] {
  const { bucket } = team;
  if (app.mode === 'public' || bucket === undefined)
    return [
      'uses public packages only: whatever those lack is built anew, and a build that cannot make it ends as "Deploying buildpack only", which replaces the app with nothing to run',
      'signs nothing, so the SigV4 buildpack is not among its buildpacks',
    ];
  const place = `s3://${halcyonBucket(bucket.spec.name, bucket.prefix)}`;
  const lines = [
    `looks for its packages in ${place} first${app.publicStorage === 'fallback' ? ', then among the public ones' : ', and nowhere else'}`,
  ];
  if (app.mode === 'read-only')
    lines.push(
      'uploads and deletes nothing; what the bucket lacks another app has to archive there, or the build ends as "Deploying buildpack only", which replaces the app with nothing to run',
    );
  else
    lines.push(
      `archives what it builds in ${place}, each upload with the ACL ${bucket.spec.acl}; an upload that fails fails the build`,
      app.clean ? 'deletes the packages that it replaces' : 'deletes nothing',
    );
  lines.push(signingOf(config, bucket));
  return lines;
}

const signingOf = (config: KitConfig, { spec }: TeamBucket): string =>
  config.signing.version === 4
    ? `signs with version 4 for ${spec.region}, by the SigV4 buildpack in front of haskell-on-heroku`
    : `signs with version 2, as Halcyon does by itself: ${s3Endpoint(config, spec)} has to accept it`;

/** For people. */
export function renderExplained({ configVars, ...explained }: Explained, notes: readonly string[]): string {
  const live = configVars.some((one) => one.live !== undefined);
  const rows = configVars.map((one) => [
    one.name,
    one.value === null ? '(unset)' : (one.value ?? (one.name === 'HALCYON_AWS_SECRET_ACCESS_KEY' ? '(secret)' : '(made by the kit)')),
    ...(live ? [onHeroku(one)] : []),
    one.from.map(({ setting, line }) => (line === undefined ? `default of ${setting}` : `line ${line}: ${setting}`)).join('\n'),
    one.means,
  ]);
  const list = (title: string, lines: readonly string[]) => (lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  - ${line}`)]);
  const { app, team, mode, principal, secret } = explained;
  return [
    `${app}: ${mode}, of team ${team}${principal === undefined ? ', without a key' : `, with the key of ${principal} (secret ${secret} in Secrets Manager)`}`,
    '',
    renderTable(['config var', 'value', ...(live ? ['on Heroku'] : []), 'from', 'meaning'], rows),
    ...list('Its key may', explained.may),
    ...list('A build', explained.build),
    ...(notes.length === 0 ? [] : ['', ...notes]),
  ].join('\n');
}

const onHeroku = ({ live, has }: ExplainedVar): string =>
  live !== 'differs' ? (live ?? '') : has === undefined ? 'another' : has === null ? 'unset' : `is ${has}`;
