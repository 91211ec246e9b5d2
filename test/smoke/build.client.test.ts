import { expect, test } from 'vitest';
import { KitError } from '../../lib/errors.js';
import type { Heroku } from '../../lib/heroku/heroku.js';
import { buildOn } from '../../lib/smoke/build.client.js';

/** A build that succeeds, whose log is cut so many times. */
function heroku(cuts: number, code: 'heroku-unavailable' | 'unexpected-answer' = 'heroku-unavailable') {
  let followed = 0;
  return {
    startBuild: async () => ({ id: 'b1', status: 'pending', outputStreamUrl: 'https://log.example.com' }),
    build: async () => ({ id: 'b1', status: 'succeeded', releaseId: 'r1' }),
    release: async () => ({ id: 'r1', version: 3, status: 'succeeded' }),
    followStream: async (_: string, hear: (text: string) => void) => {
      hear('one\n');
      if (++followed <= cuts) throw new KitError(code, 'the log was cut');
      hear('two\n');
    },
  } as unknown as Heroku;
}
const build = (of: Heroku) => buildOn(of, 'app', Buffer.from(''), { version: 'v', say: () => {} });

test.each([
  [0, ['one', 'two', '']],
  [1, ['one', 'two', '']],
  [2, ['one', '']],
])('a build whose log is cut %i times goes on to its end', async (cuts, lines) => {
  const built = await build(heroku(cuts));
  expect([built.build.status, built.release?.version]).toEqual(['succeeded', 3]);
  expect(built.log.lines).toEqual(lines);
});

test('what is no cut ends it', async () => {
  await expect(build(heroku(1, 'unexpected-answer'))).rejects.toMatchObject({ code: 'unexpected-answer' });
});
