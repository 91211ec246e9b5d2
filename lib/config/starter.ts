import type { Mode } from '../contract/index.js';

export interface StarterOptions {
  /** Where editors find the schema. Default: the file does not say. */
  readonly schema?: string;
  /** Default: an example id to edit. */
  readonly account?: string;
  /** Default us-east-1. */
  readonly region?: string;
  /** Default `my-team`. */
  readonly team?: string;
  /** Default: one app to edit, in mode `upload`. */
  readonly apps?: ReadonlyArray<{ readonly name: string; readonly mode: Mode }>;
}

/** Where editors find the schema, seen from a project that has the kit installed. */
export const SCHEMA_PATH = './node_modules/halcyon-kit/schema/halcyon.schema.json';

/** For every clone of the project, or not at all. */
export const schemaLine = (schema: string | undefined): string =>
  schema === undefined ? '' : `# yaml-language-server: $schema=${schema}\n`;

/** Text of a commented halcyon.yaml. It is valid whenever the names given are. */
export function starterFile({ schema, account, region = 'us-east-1', team = 'my-team', apps = [] }: StarterOptions = {}): string {
  const listed = apps.length > 0 ? apps : [{ name: `${team}-app`, mode: 'upload' as const }];
  const width = Math.max(...listed.map(({ name }) => name.length)) + 1;
  const lines = listed.map(({ name, mode }) => `      ${`${name}:`.padEnd(width)} { mode: ${mode} }`);
  return `${schemaLine(schema)}# Private storage for Haskell on Heroku: who may do what with which bucket.
# "halcyon-kit validate" checks this file, "halcyon-kit up --all" makes it true.

teams: # each team is a stack: halcyon-TEAM
  ${team}:
    # A bucket of the team's own. Or a prefix in a shared one: { shared: common, prefix: ${team} }, with "common" under "buckets:" at the top.
    # Or one that is there already: { existing: NAME, account: "…", region: … }.
    bucket:
      account: "${account ?? '111122223333'}" # ${account === undefined ? 'EDIT: your AWS account id; ' : ''}nothing is ever made in another account
      region: ${region}
      # versioning: true                 # keep overwritten and deleted packages, for retention.noncurrentDays
    # heroku: { team: acme }             # the Heroku team that the apps must belong to
    # credentials: per-app               # one key an app; default: one a mode

    # public:    no private bucket; public packages only
    # read-only: uses what is in the private bucket, never writes
    # upload:    archives prebuilt packages in it; with "clean: false" it never deletes
    apps:
${lines.join('\n')}

# How requests to S3 are signed. Version 4 goes through the kit's buildpack, which works in every region.
signing: { version: 4, buildpack: hosted }

# Apps without haskell-on-heroku among their buildpacks are reported; this adds it.
# buildpack: { install: true }
`;
}
