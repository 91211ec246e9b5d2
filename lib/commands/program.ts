import { Argument, Command, Option } from 'commander';
import { ACCESSES } from '../contract/index.js';
import type { CommandHost, CommandResult } from '../cli/command.js';
import { defaultConfig } from '../cli/default-config.js';
import { all, collect, detailed, forget, several, soak } from './options.js';

const EXIT_CODES = `
Exit codes:
  0    done, or nothing to do
  1    failed, or something is wrong: it is said, with what to do
  2    not through, or someone else is at work: run it again later; with --detailed-exitcode: something would change
  130  stopped by Ctrl-C; run it again to go on`;

/** Runs a command: its module is loaded only now, so that `--help` starts at once. */
export type Runner = (
  run: (host: CommandHost) => Promise<CommandResult>,
  options: { json?: boolean; verbose?: boolean; yes?: boolean; dryRun?: boolean; evidence?: string },
) => Promise<void>;

/** The command line, wired to `run`; nothing is executed before `parseAsync`. */
export function createProgram(run: Runner, version: string): Command {
  const program = new Command('halcyon-kit')
    .description('Private S3 buckets for Haskell on Heroku: stacks, access keys, config vars, smoke deploys and rotation, from one file.')
    .version(version)
    .helpCommand('help [command]', 'Show the help of a command.')
    .showHelpAfterError('(add --help for usage)')
    .enablePositionalOptions()
    .addHelpText('afterAll', EXIT_CODES);

  const command = (name: string, description: string, examples: string[]): Command => {
    const made = program
      .command(name)
      .description(description)
      .addOption(new Option('-c, --config <file>', 'the configuration file; - reads it from stdin').default(...defaultConfig()))
      .option('--json', 'print the result as JSON on stdout')
      .option('-v, --verbose', 'show details');
    const lines = examples.map((example) => `  $ ${/^eval /.test(example) ? '' : 'halcyon-kit '}${example}`);
    return made.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
  };
  const ofTeams = (...texts: Parameters<typeof command>): Command =>
    command(...texts)
      .option('--profile <name>', 'AWS profile; default: AWS_PROFILE, then the default credentials')
      .addArgument(new Argument('[team...]', 'teams of the file'));
  const looking = (...texts: Parameters<typeof command>): Command =>
    ofTeams(...texts)
      .option(...all)
      .addOption(several());
  const changing = (...texts: Parameters<typeof command>): Command =>
    ofTeams(...texts)
      .option('--dry-run', 'show what would be done, and change nothing')
      .option('-y, --yes', 'do not ask')
      .option(...all)
      .addOption(several());

  command('init', 'Write a starter halcyon.yaml here.', [
    'init',
    'init --team payments --app payments-api=read-only --app payments-builder=upload',
  ])
    .option('--team <name>', 'name of the first team')
    .option('--app <name=mode...>', 'an app and its mode: public, read-only or upload')
    .option('--account <id>', 'AWS account; default: that of the AWS credentials')
    .option('--region <region>', 'AWS region; default: AWS_REGION')
    .option('--profile <name>', 'AWS profile')
    .option('--force', 'replace an existing file')
    .option('--dry-run', 'print the file instead of writing it')
    .action((options) => run(async (host) => (await import('./init.js')).init(options, host), options));

  command('adopt', 'Write a halcyon.yaml that describes apps which were set up by hand. Changes nothing else.', [
    'adopt payments-api payments-builder',
    'adopt --heroku-team acme -o acme.yaml',
    'adopt --pipeline payments --dry-run',
    'adopt --terraform state.json',
  ])
    .addArgument(new Argument('[app...]', 'Heroku apps; default: all that the account sees'))
    .option('--heroku-team <name>', 'the apps of this Heroku team')
    .option('--pipeline <name>', 'the apps of this Heroku pipeline')
    .option('--terraform <file>', 'the apps in what "terraform show -json" printed; - reads it from stdin')
    .option('-o, --output <file>', 'where to write it, - to print it; default: the configuration file')
    .option('--force', 'replace an existing file')
    .option('--dry-run', 'print the file instead of writing it')
    .option('--profile <name>', 'AWS profile; default: AWS_PROFILE, then the default credentials')
    .action((apps, options) => run(async (host) => (await import('./adopt.js')).adopt(apps, options, host), options));

  command('validate', 'Check the file; needs no credentials.', ['validate', 'validate -c other.yaml --json']).action((options) =>
    run(async (host) => (await import('./validate.js')).validate(options, host), options),
  );

  command('explain', 'Say which config vars an app gets, where each comes from, what its key may do, and what a build does with it.', [
    'explain payments-api',
    'explain payments-api --offline --json',
  ])
    .addArgument(new Argument('<app>', 'an app of the file'))
    .option('--profile <name>', 'AWS profile; default: AWS_PROFILE, then the default credentials')
    .option('--offline', 'go by the file alone; default: also compare with Heroku and AWS, as far as there are credentials')
    .action((app, options) => run(async (host) => (await import('./explain.js')).explain(app, options, host), options));

  command(
    'policy',
    'Print IAM policies as JSON: of an operator, of the users’ boundary, of a mode, of a team; needs no credentials, and deploys nothing.',
    [
      'policy operator > operator.json',
      'policy boundary > boundary.json',
      'policy boundary --was halcyon.yaml.before > boundary.json',
      'policy upload',
      'policy payments',
    ],
  )
    .addArgument(new Argument('<what>', 'operator, boundary, a mode (public, read-only, upload, append-only), or a team of the file'))
    .option('--partition <name>', 'aws, aws-cn, aws-us-gov or aws-eusc; default: that of the file')
    .option('--was <file...>', 'former files, whose buckets and KMS keys builds may still use: operator and boundary cover them, too')
    .action((what, options) => run(async (host) => (await import('./policy.js')).policy(what, options, host), options));

  command('creds', 'Print short-lived AWS credentials that may do what a mode of a team may, for a developer’s own machine.', [
    'creds payments',
    'eval "$(halcyon-kit creds payments --mode upload --duration 4h)"',
    'creds payments --role arn:aws:iam::111122223333:role/developers --json',
  ])
    .addArgument(new Argument('<team>', 'a team of the file'))
    .addOption(new Option('--mode <mode>', 'what they may do').choices(ACCESSES).default('read-only'))
    .option('--duration <duration>', 'how long they last, 15m to 36h', '1h')
    .option('--role <arn>', 'a role to act as, which may use the bucket; needed unless your own credentials are an IAM user’s')
    .option('--profile <name>', 'AWS profile; default: AWS_PROFILE, then the default credentials')
    .action((team, options) => run(async (host) => (await import('./creds.js')).creds(team, options, host), options));

  looking('plan', 'Show what `up` would change: stacks, keys, buildpacks and config vars.', [
    'plan payments',
    'plan --all --json',
    'plan --all --detailed-exitcode',
    'plan --all --out next.plan && halcyon-kit up next.plan',
  ])
    .option('--out <file>', 'write the plan to FILE (without secrets), for `up FILE`; its name has a dot or a slash')
    .option('--prune', 'also of what the file no longer names')
    .addOption(detailed())
    .option(...forget)
    .action((names, options) => run(async (host) => (await import('./up.js')).up(names, { ...options, dryRun: true }, host), options));

  changing('up', 'Deploy stacks, make keys, write config vars, and prove it by a smoke deploy.', [
    'up payments',
    'up --all --yes',
    'up search --dry-run',
    'up --prune',
    'up next.plan',
  ])
    .usage('[options] [team... | plan]')
    .addOption(detailed())
    .option('--smoke', 'prove every mode by a smoke deploy, also where a proof holds')
    .option('--no-smoke', 'leave out smoke deploys')
    .option('--prune', 'also retire teams and stacks that the file no longer names; buckets stay')
    .option('--evidence <file>', 'write the evidence of keys, releases and proofs to FILE (JSON, without secrets)')
    .option(...forget)
    .action((names, options) => run(async (host) => (await import('./up.js')).up(names, options, host), options));

  changing('sync', 'Make keys where they lack and bring config vars and buildpacks up to date; leaves stacks alone.', [
    'sync payments',
    'sync --all --dry-run',
  ])
    .addOption(detailed())
    .option('--evidence <file>', 'write the evidence to FILE (JSON, without secrets)')
    .option(...forget)
    .action((names, options) => run(async (host) => (await import('./sync.js')).sync(names, options, host), options));

  changing('smoke', 'Prove each mode in use by a real build on a short-lived app.', [
    'smoke payments',
    'smoke payments --mode read-only',
    'smoke payments --app payments-api --source .',
  ])
    .addOption(new Option('--mode <mode...>', 'only these modes').choices(['public', 'read-only', 'upload']))
    .option('--prebuild', 'also show the prebuild path: buildpack only, build on a one-off dyno, deploy again')
    .option('--app <name>', 'deploy to this app of the team instead of a short-lived one (needs --source)')
    .option('--source <dir>', "a team's own source, with --app")
    .option('--evidence <file>', 'write the evidence to FILE (JSON, without secrets)')
    .action((names, options) => run(async (host) => (await import('./smoke.js')).smoke(names, options, host), options));

  command('prebuild', 'Build apps on short-lived apps and large one-off dynos, so that their next build finds all in the bucket.', [
    'prebuild payments-builder --source .',
    'prebuild payments-builder --commit HEAD --deploy',
    'prebuild payments-builder search-web --source payments-builder=../builder --source search-web=../search --dry-run',
  ])
    .addArgument(new Argument('<app...>', 'apps of the file, in mode upload'))
    .option('--source <dir>', 'directory of the source, or APP=DIR; may be repeated', collect)
    .option('--commit <rev>', 'a commit of the git repository there, or APP=REV; may be repeated', collect)
    .option('--size <size>', 'size of the dyno that builds', 'performance-l')
    .option('--timeout <duration>', 'how long each may build, 24h at most', '4h')
    .option('--deploy', 'then deploy the same source to the app itself')
    .option('--profile <name>', 'AWS profile; default: AWS_PROFILE, then the default credentials')
    .option('--evidence <file>', 'write the evidence to FILE (JSON, without secrets)')
    .option('--dry-run', 'show what would be built, and what it costs at most; change nothing')
    .option('-y, --yes', 'do not ask')
    .action((names, options) => run(async (host) => (await import('./prebuild.js')).prebuild(names, options, host), options));

  changing('packages', 'Show what is kept in the buckets, and which apps use it; with --prune, remove what none could use.', [
    'packages payments',
    'packages payments --prune --dry-run',
    'packages --all --prune --soak 30d --yes',
  ])
    .option('--prune', 'remove what no app could use; what is found so for the first time rests')
    .option('--soak <duration>', 'how long it rests, in case an app comes to use it', '7d')
    .option('--evidence <file>', 'write what was removed to FILE (JSON)')
    .action((names, options) => run(async (host) => (await import('./packages.js')).packages(names, options, host), options));

  looking('status', 'Show what needs attention, then buckets, keys and apps as they are.', [
    'status',
    'status payments --json',
    'status --metrics /var/lib/node_exporter/halcyon.prom',
    'status --packages --html fleet.html',
  ])
    .option('--metrics <file>', 'write metrics to FILE, for the textfile collector of node_exporter')
    .option(
      '--html <file>',
      'write one self-contained page to FILE; for it the buckets are listed (a request to S3 for each thousand packages)',
    )
    .option(
      '--packages',
      'look into the buckets: how much is in them, and what no app has asked for (that takes a request to Heroku an app)',
    )
    .option('--max-age <duration>', 'age at which a key is due', '90d')
    .option(...soak)
    .action((names, options) => run(async (host) => (await import('./status.js')).status(names, options, host), options));

  looking('log', 'Show what runs did to teams: who, when, what, and by which file.', ['log payments', 'log --since 90d --verbose'])
    .option('--since <duration>', 'how far back', '30d')
    .action((names, options) => run(async (host) => (await import('./log.js')).log(names, options, host), options));

  looking('doctor', 'Find what is wrong, how it shows in a Halcyon build log, and what mends it.', [
    'doctor',
    'doctor payments --write-probe --json',
    'doctor --log build.log',
    'doctor --app payments-api --build latest',
  ])
    .option('--write-probe', 'also upload and delete a probe object as each principal that may')
    .option('--log [file]', 'say what a build log tells, and look at nothing else; - reads it from stdin')
    .option('--app <app>', 'fetch the log of a build of this app, and say what it tells')
    .option('--build <id>', 'which one, with --app; default: latest')
    .action((names, options) => run(async (host) => (await import('./doctor.js')).doctor(names, options, host), options));

  changing('rotate', 'Replace access keys with no build failing; run again to go on.', [
    'rotate payments',
    'rotate --all --due --max-age 90d --yes',
    'rotate payments --undo',
    'rotate payments --emergency AKIA…',
  ])
    .addOption(detailed())
    .option('--due', 'only keys older than --max-age')
    .option('--max-age <duration>', 'age at which a key is due, with --due; default: 90d')
    .option('--waves <list>', 'apps moved at a time, the canary first', '1,10%,100%')
    .option(...soak)
    .option('--finish', 'only complete what was soaking or half done')
    .option('--undo', 'go back to the previous key')
    .option('--emergency <key-id>', 'a leaked key dies at once')
    .option('--delete-unknown-key <key-id>', 'delete a key that the kit did not make')
    .option('--no-smoke', 'leave out the smoke deploy on the first app')
    .option('--evidence <file>', 'write the evidence to FILE (JSON, without secrets)')
    .option(...forget)
    .action((names, options) => run(async (host) => (await import('./rotate.js')).rotate(names, options, host), options));

  changing('down', 'Unset our config vars, retire the keys, then destroy the stack; the bucket stays.', [
    'down payments',
    'down payments --delete-bucket --yes',
    'down --bucket common',
  ])
    .addOption(detailed())
    .option('--bucket <name...>', 'shared buckets whose stack is to go')
    .option('--delete-bucket', 'also delete the bucket and everything in it')
    .option('--force', 'do not wait for builds in flight')
    .option(...forget)
    .action((names, options) => run(async (host) => (await import('./down.js')).down(names, options, host), options));

  program
    .command('version')
    .description('Print the version.')
    .option('--json', 'print it as JSON on stdout')
    .addHelpText('after', '\nExamples:\n  $ halcyon-kit version --json')
    .action((options) => run(async () => ({ data: { version }, text: version }), options));

  const buildpack = program.command('buildpack').description('The SigV4 buildpack.');
  buildpack
    .command('pack')
    .description('Pack the SigV4 buildpack as a .tgz, byte-identical at each run.')
    .option('-o, --output <file>', 'where to write it', 'halcyon-sigv4-buildpack.tgz')
    .option('--dry-run', 'print its checksum, and write nothing')
    .option('--json', 'print the result as JSON on stdout')
    .addHelpText('after', '\nExamples:\n  $ halcyon-kit buildpack pack -o sigv4.tgz')
    .action((options) => run(async (host) => (await import('./buildpack.js')).pack(options, host), options));

  program
    .command('sandbox')
    .description('Start a local AWS and a local Heroku, and print the settings that aim any client at them.')
    .option('--json', 'print the settings as JSON')
    .option('--write-env <file>', 'also write the settings to FILE, to be sourced by a shell')
    .addHelpText('after', '\nExamples:\n  $ halcyon-kit sandbox --write-env .env.sandbox')
    .action((options) => run(async (host) => (await import('./sandbox.js')).sandbox(options, host), options));

  return program;
}
