import { join } from 'node:path';
import { Writable } from 'node:stream';
import { createProgram, type Runner } from '../../../lib/commands/program.js';
import { isKitError } from '../../../lib/errors.js';
import { createTerminal } from '../../../lib/io/terminal.js';
import { requireShape } from '../../support/outputs.js';
import { Workplace, type Ran } from './target.js';
import { quietHost } from '../../support/host.js';

/** The commands in this process and its environment, which saves seconds a run: where what they do counts, not the process they are. */
export class InProcess extends Workplace {
  /** @param options.bare - nothing but `args`, as of a person who says yes when asked. */
  override async kit(args: readonly string[], { env, bare = false }: { env?: Record<string, string>; bare?: boolean } = {}): Promise<Ran> {
    let [code, stdout, stderr] = [0, '', ''];
    const before = { ...process.env };
    Object.assign(process.env, env);
    const stream = new Writable({ write: (chunk, _encoding, done) => ((stderr += String(chunk)), done()) });
    const run: Runner = async (command, options) => {
      const io = createTerminal({ stream, live: false });
      const host = quietHost({ io, confirm: async () => bare || options.yes === true });
      try {
        const result = await command(host);
        code = result.exitCode ?? 0;
        const json = JSON.stringify(result.data);
        requireShape(args, JSON.parse(json));
        stdout = options.json ? json : result.text;
      } catch (error) {
        if (!isKitError(error)) throw error;
        code = 1;
        if (options.json) stdout = JSON.stringify({ error: { code: error.code, message: error.message } });
        stderr += `error: ${error.message}\n`;
      } finally {
        io.close();
      }
    };
    try {
      await createProgram(run, '0.0.0').parseAsync(bare ? args : [...args, '-c', join(this.dir, 'halcyon.yaml')], { from: 'user' });
    } finally {
      process.env = before;
    }
    this.printed += stdout + stderr;
    return { code, stdout, stderr };
  }
}
