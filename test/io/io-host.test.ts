import { expect, test } from 'vitest';
import { inOneStep, type IoHost } from '../../lib/io/io-host.js';
import { createTerminal } from '../../lib/io/terminal.js';

function linesOf(verbose: boolean, run: (io: IoHost) => Promise<unknown>): Promise<string[]> {
  let said = '';
  const stream = { write: (text: string) => ((said += text), true) } as unknown as NodeJS.WritableStream;
  return run(createTerminal({ stream, verbose, live: false, now: () => 0 })).then(() =>
    said
      .replace(/\x1b\[\d+m/g, '')
      .trim()
      .split('\n'),
  );
}
const set = async (io: IoHost, total: number) => {
  for (let n = 0; n < total; n++) {
    const step = io.step(`Setting A on app-${n}`);
    if (n === 2) step.fail('its release failed');
    else step.done(`v${n}`);
  }
};
const work = (total: number) => (io: IoHost) => inOneStep(io, 'Changing config vars of', total, (inner) => set(inner, total));

test('many apps are one line, and those that failed', async () => {
  expect(await linesOf(false, work(10_000))).toEqual([
    '- Changing config vars of 10000 apps …',
    '! Setting A on app-2: its release failed',
    '✔ Changing config vars of 10000 apps 0.0 s',
  ]);
});

test('a few are a line each, and with --verbose all are', async () => {
  expect(await linesOf(false, work(3))).toHaveLength(6);
  const all = await linesOf(true, work(11));
  expect([all.length, all[1]]).toEqual([13, 'Setting A on app-0: v0']);
});
