import { writeFile } from 'node:fs/promises';
import { packBuildpack } from '../buildpack/pack.js';
import { KitError } from '../errors.js';
import type { CommandHost, CommandResult } from '../cli/command.js';

export async function pack(options: { output: string; dryRun?: boolean }, _host: CommandHost): Promise<CommandResult> {
  const { tgz, sha256 } = await packBuildpack();
  if (!options.dryRun)
    await writeFile(options.output, tgz).catch((cause: Error) => {
      throw new KitError('file-not-written', `cannot write ${options.output}: ${cause.message}`, { cause });
    });
  return {
    data: { file: options.dryRun ? undefined : options.output, bytes: tgz.length, sha256 },
    text: `${options.dryRun ? 'would write' : 'wrote'} ${options.output}: ${tgz.length} bytes, sha256 ${sha256}`,
  };
}
