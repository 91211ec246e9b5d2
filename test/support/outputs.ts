import { OUTPUTS, type OutputName } from '../../script/shapes/commands.js';

/** The sandbox is another program. */
export const OTHERS = ['sandbox'];

/**
 * Hold what a command gave for `--json` against its shape: real output, wherever a test makes any.
 * @param args - the command line.
 * @param data - parsed. @throws what differs.
 */
export function requireShape(args: readonly string[], data: unknown): void {
  const name = args[0] === 'buildpack' ? args[1] : args[0];
  if (name === undefined || OTHERS.includes(name)) return;
  const failed = typeof data === 'object' && data !== null && Object.keys(data).join() === 'error';
  const [, shape] = OUTPUTS[failed ? 'error' : (name as OutputName)];
  const { success, error } = shape.safeParse(data);
  if (!success)
    throw new Error(`halcyon-kit ${args.join(' ')}: not as schema/output/ says: ${JSON.stringify(error.issues, null, 1).slice(0, 3000)}`);
}
