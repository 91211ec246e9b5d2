import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fileURLToPath } from 'node:url';
import type { Wire } from '../engine/support/wire.js';
import { carryOut, kitWay, startGround, type Way } from './support/carry-out.js';
import { EDITS } from './support/edit.js';

/** An edit whose `up` is killed at one of its requests, and run again. Run `node script/build.mjs` first. */
const CLI = fileURLToPath(new URL('../../dist/bin/halcyon-kit.js', import.meta.url));
const EDIT = EDITS.find(({ name }) => name === 'bucket name changed');
/** How many requests it has sent when it is killed: one of each stretch of its way. */
const AT = [4, 16, 28, 40, 52, 64, 76, 88, 100, 112, 124, 136];

let wire: Wire;
beforeAll(async () => {
  wire = await startGround();
});
afterAll(() => wire?.stop());

/** What the operator has sent so far; builds ask by other keys, and Heroku not at all. */
const sent = (): number =>
  wire.sandbox.aws.log().filter(({ accessKeyId }) => accessKeyId === wire.sandbox.env.AWS_ACCESS_KEY_ID).length +
  wire.sandbox.heroku.log().length;

/** @returns how far it came, and whether it had to be killed. */
function killedAt(path: string, at: number): Promise<{ requests: number; killed: boolean }> {
  const before = sent();
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [CLI, 'up', '--config', path, '--yes', '--no-smoke'], {
      env: { ...process.env, ...wire.sandbox.env },
    });
    const watch = setInterval(() => {
      if (sent() - before >= at) child.kill('SIGKILL');
    }, 5);
    child.once('exit', (_code, signal) => {
      clearInterval(watch);
      resolve({ requests: sent() - before, killed: signal === 'SIGKILL' });
    });
  });
}

describe('killed at a request, and run again', () => {
  test.each(AT)('%i', async (at) => {
    if (EDIT === undefined) throw new Error('there is no such edit');
    let came = { requests: 0, killed: false };
    const way: Way = async (path, config) => {
      came = await killedAt(path, at);
      await kitWay(path, config);
    };
    const { refused, missing, wrong, builds } = await carryOut(wire, EDIT, `k${at}`, way, { checked: true });
    process.stderr.write(
      `${came.killed ? 'killed' : 'ended'} after ${came.requests} requests: ${builds} builds, ${refused.length} refused\n`,
    );
    expect({ refused: refused.slice(0, 5), missing: missing.slice(0, 5), wrong }).toEqual({ refused: [], missing: [], wrong: [] });
  });
});
