// Writes docs/commands.md from the program itself.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command, Option } from 'commander';
import { addAccept } from '../accept/program.js';
import { createProgram } from '../lib/commands/program.js';
import { formatted } from './formatted.js';

const run = async () => {};

const HEAD = `# Commands

Made from the program itself by \`npm run commands\`; \`--help\` prints the same. Where a command works on the file, on AWS or prints a result, it also has:

| option | what |
| --- | --- |
`;

/** Said once, above all. */
const COMMON = ['--config', '--json', '--verbose', '--profile'];

/** The page, formatted as the linter wants it. */
export function commandsPage(): Promise<string> {
  const program = addAccept(createProgram(run, '0.0.0'), run, '0.0.0');
  let help = '';
  const helpOf = (command: Command) => {
    help = '';
    command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
    return help;
  };
  const common = program.commands.find((command) => command.name() === 'status')?.options.filter(isCommon) ?? [];
  const leaves = program.commands.flatMap((command) => (command.commands.length === 0 ? [command] : command.commands));
  const sections = leaves.map((command) => {
    const [, after = ''] = helpOf(command).split('\nExamples:\n');
    const [examples = '', exitCodes = ''] = after.split('\nExit codes:\n');
    const name = command.parent === program ? command.name() : `${command.parent?.name()} ${command.name()}`;
    const own = command.options.filter((option) => !isCommon(option));
    const table = own.length === 0 ? [] : ['| option | what |', '| --- | --- |', ...own.map(rowOf), ''];
    const text = [`## ${name}`, '', command.description(), '', ...table, '```text', dedent(examples), '```', ''];
    return { text: text.join('\n'), exitCodes };
  });
  const codes = ['## Exit codes', '', '```text', dedent(sections[0]?.exitCodes ?? ''), '```', ''].join('\n');
  const page = [`${HEAD}${common.map(rowOf).join('\n')}\n`, ...sections.map(({ text }) => text), codes].join('\n');
  return formatted('commands.md', page);
}

const isCommon = ({ long }: Option): boolean => COMMON.includes(long ?? '');
const dedent = (text: string): string => text.trimEnd().replace(/^ {2}/gm, '');

function rowOf({ flags, description, argChoices, defaultValue, defaultValueDescription }: Option): string {
  const choices = argChoices === undefined ? '' : `: ${argChoices.join(', ')}`;
  const standard = defaultValueDescription ?? (['string', 'number'].includes(typeof defaultValue) ? String(defaultValue) : undefined);
  const what = `${description}${choices}${standard === undefined ? '' : ` (default: ${standard})`}`;
  return `| \`${flags}\` | ${what.replaceAll('|', '\\|')} |`;
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('../docs/commands.md', import.meta.url), await commandsPage());
