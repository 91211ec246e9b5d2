import { expect, test } from 'vitest';
import type { ErrorCode } from '../../lib/error-codes.js';
import { KitError } from '../../lib/errors.js';
import type { Dyno, Heroku } from '../../lib/heroku/heroku.js';
import { runScript } from '../../lib/smoke/dyno.client.js';

const mark = 'halcyon-prebuild-abcdefgh';
const line = (at: number, text: string) => `2026-11-28T00:00:0${at}.000000+00:00 app[run.1]: ${text}\n`;

/** A dyno that prints two lines, and whose log is cut in between: `refused` sessions are answered with an error. */
function heroku(refused: number, stopped: string[] = [], code: ErrorCode = 'heroku-unavailable', commands: string[] = []) {
  let sessions = 0;
  const dyno = { name: 'run.1', releaseVersion: 3 } as Dyno;
  return {
    runDyno: async (_: string, { command }: { command: string }) => (commands.push(command), dyno),
    dynos: async () => [dyno],
    stopDyno: async (_: string, name: string) => void stopped.push(name),
    logSession: async () => {
      if (++sessions > 1 && sessions <= 1 + refused) throw new KitError(code, 'Heroku is away');
      return 'https://logs.example.com';
    },
    followStream: async (_: string, say: (text: string) => void) => {
      say(line(1, 'compiling'));
      if (sessions > 1) say(line(2, `${mark} end 0`));
    },
  } as unknown as Heroku;
}
const options = { mark, timeToLive: 3600, release: 3 };

test('a cut is taken up again, and each line heard once', async () => {
  const stopped: string[] = [];
  const run = await runScript(heroku(0, stopped), 'app', 'build', options);
  expect(run).toMatchObject({ status: 0, lines: ['compiling', `${mark} end 0`] });
  expect(stopped).toEqual(['run.1']);
});

test('hours of work do not end because Heroku does not answer for a moment; a short run does', async () => {
  await expect(runScript(heroku(1), 'app', 'build', options)).rejects.toMatchObject({ code: 'heroku-unavailable' });
  const said: string[] = [];
  const run = await runScript(heroku(1), 'app', 'build', { ...options, long: true, say: (text) => void said.push(text) });
  expect(run.status).toBe(0);
  expect(said).toContain('Heroku is away; looking again');
}, 30_000);

test.each(['app-not-found', 'heroku-unauthorized', 'heroku-forbidden'] as const)('%s ends hours of work at once', async (code) => {
  await expect(runScript(heroku(1, [], code), 'app', 'build', { ...options, long: true })).rejects.toMatchObject({ code });
});

test('no two dynos of an app run the same command, by which one is found whose answer was lost', async () => {
  const commands: string[] = [];
  for (const script of ['first', 'second']) await runScript(heroku(0, [], undefined, commands), 'app', script, options);
  expect(new Set(commands).size).toBe(2);
});
