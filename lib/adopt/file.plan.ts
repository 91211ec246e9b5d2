import { schemaLine } from '../config/starter.js';
import { counted } from '../io/printable.js';
import { foreign, outgoing } from '../io/redaction.js';
import type { Described, DescribedApp, DescribedBucket, DescribedTeam } from './describe.plan.js';

/** Text of a halcyon.yaml that says so, with what could not be known marked. Pure. */
export function fileText({ teams, forks, leftOut }: Described, { on, schema }: { on: string; schema?: string }): string {
  const apps = teams.reduce((sum, team) => sum + team.apps.length, 0);
  const lines = [
    `${schemaLine(schema)}# Made by "halcyon-kit adopt" on ${on}, of what ${counted(apps, 'app has', 'apps have')} on Heroku. Nothing was changed by it.`,
    '# Read the remarks, and mend what is marked EDIT. Then "halcyon-kit validate", and "halcyon-kit up --all --dry-run" for what the first "up" would do.',
    '# Not known here: whether the keys of today may do what the modes say; what else uses them; what a name of a team should be.',
    ...leftOut.map(({ app, why }) => `# Left out: ${foreign(app)}: ${foreign(why)}.`),
    '',
    'teams: # each team is a stack: halcyon-TEAM',
    ...teams.flatMap(teamLines),
    '',
    "# Halcyon signs with version 2 by itself. Version 4 goes through the kit's buildpack, which works in every region; the bucket is left as it is.",
    'signing: { version: 4, buildpack: hosted }',
    ...(Object.keys(forks).length === 0
      ? []
      : [
          '',
          `buildpack: { ${Object.entries(forks)
            .map(([name, url]) => `${name}: ${JSON.stringify(url)}`)
            .join(', ')} }`,
        ]),
  ];
  return `${outgoing(lines.join('\n'))}\n`;
}

/** YAML takes these for no text. */
const key = (name: string): string => (/^(true|false|null)$/.test(name) ? JSON.stringify(name) : name);
const remark = (indent: string) => (text: string) => `${indent}# ${text}`;

const teamLines = ({ name, bucket, herokuTeam, perApp, apps, remarks }: DescribedTeam): string[] => [
  `  ${key(name)}:`,
  ...remarks.map(remark('    ')),
  ...(bucket === undefined ? [] : bucketLines(bucket)),
  ...(herokuTeam === undefined ? [] : [`    heroku: { team: ${JSON.stringify(herokuTeam)} }`]),
  ...(perApp ? ['    credentials: per-app # each has a key of its own today'] : []),
  '    apps:',
  ...apps.flatMap((app) => [...app.remarks.map(remark('      ')), `      ${key(app.name)}: { ${settingsOf(app)} }`]),
];

const settingsOf = ({ mode, clean, fallback }: DescribedApp): string =>
  [`mode: ${mode}`, ...(clean ? [] : ['clean: false']), ...(fallback ? ['publicStorage: fallback'] : [])].join(', ');

function bucketLines({ existing, prefix, account, region, acl, kmsKeyArn, endpoint }: DescribedBucket): string[] {
  const edit = (known: unknown) => (known === undefined ? ' # EDIT' : '');
  return [
    '    bucket:',
    `      existing: ${JSON.stringify(existing)} # there already: it stays as it is`,
    ...(prefix === undefined ? [] : [`      prefix: ${JSON.stringify(prefix)}`]),
    `      account: "${account ?? '111122223333'}"${edit(account)}`,
    `      region: ${region ?? 'us-east-1'}${edit(region)}`,
    ...(acl === 'bucket-owner-full-control' ? [] : [`      acl: ${acl}`]),
    ...(acl === 'public-read' ? ['      allowPublicRead: true'] : []),
    ...(kmsKeyArn === undefined ? [] : [`      kmsKeyArn: ${kmsKeyArn}`]),
    ...(endpoint === undefined ? [] : [`      endpoint: ${JSON.stringify(endpoint)}`]),
  ];
}
