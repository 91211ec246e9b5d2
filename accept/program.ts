import type { Command } from 'commander';
import type { CommandResult } from '../lib/cli/command.js';
import { createProgram, type Runner } from '../lib/commands/program.js';
import type { Kit } from './run.js';

/** Put `accept` on the command line. */
export function addAccept(program: Command, run: Runner, version: string): Command {
  program
    .command('accept')
    .description('Prove the kit on an account: a small fleet of its own from `up` to `down`, then the count of what is left.')
    .requiredOption('--account <id>', 'AWS account; the credentials must be for it')
    .requiredOption('--region <region>', 'AWS region')
    .option('--heroku-team <name>', 'Heroku team for its apps; default: your own account')
    .option('--budget <amount>', 'refuse a run that may cost more', '1usd')
    .option('--minutes <number>', 'stop, and take everything down, after so long', '30')
    .option('--probes', 'only ask AWS and Heroku what the kit assumes of them (docs/probes.md)')
    .option('--keep', 'leave the fleet until it expires, for looking at; the next run removes it then')
    .option('--report <file>', 'write a page of what was proven to FILE (HTML, without secrets)')
    .option('--profile <name>', 'AWS profile; default: AWS_PROFILE, then the default credentials')
    .option('--dry-run', 'show what it would make, and what that costs at most')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'print the result as JSON on stdout')
    .option('-v, --verbose', 'show details')
    .addHelpText('after', '\nExamples:\n  $ halcyon-kit accept --account 111122223333 --region eu-west-1 --report accept.html')
    .action((options) => run(async (host) => (await import('./command.js')).accept(options, host, kitOf(version), version), options));
  return program;
}

const kitOf =
  (version: string): Kit =>
  async (args, host) => {
    let result: CommandResult = { data: {}, text: '' };
    const inside = createProgram(async (command) => void (result = await command(host)), version);
    await inside.parseAsync(args, { from: 'user' });
    return result;
  };
