import type { Command as Program } from 'commander';
import { loadConfig } from '../config/index.js';
import { defaultConfig } from './default-config.js';

/** For a bash without the package bash-completion, which most have. */
export const BASH_ALONE = `declare -F _get_comp_words_by_ref >/dev/null || _get_comp_words_by_ref() {
    words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
}
`;

/**
 * `completion zsh|bash|fish` prints what a shell needs to complete commands, options, and the teams and apps of the file.
 * @param words - of the command line, to find `--config` in.
 */
export async function addCompletion(program: Program, words: readonly string[]): Promise<void> {
  const { default: tab } = await import('@bomb.sh/tab/commander');
  const completion = tab(program, { completionCommandName: 'completion' });
  program.commands
    .find((one) => one.name() === 'completion')
    ?.description('Print what a shell needs to complete commands, options, teams and apps.')
    .addHelpText('after', '\nExamples:\n  $ source <(halcyon-kit completion bash)');
  const named = words.findIndex((word) => word === '-c' || word === '--config');
  const file = (named >= 0 ? words[named + 1] : undefined) ?? defaultConfig()[0];
  // A file that is not there, or wrong, completes nothing: the commands tell what is wrong with it.
  const config = await loadConfig(file).catch(() => undefined);
  const teams = config?.teams ?? [];
  const apps = teams.flatMap((team) => team.apps);
  for (const [name, command] of completion.commands) {
    for (const [of, list] of [
      ['team', teams],
      ['app', name === 'explain' ? [...apps, ...teams.flatMap(({ stages = [] }) => stages)] : apps],
    ] as const)
      if (command.arguments.has(of)) command.argument(of, (complete) => list.forEach((one) => complete(one.name, '')), true);
  }
}
