import { expect, test } from 'vitest';
import { Transcript } from '../../lib/smoke/dyno.client.js';

const line = (at: number, text: string) => `2026-11-28T00:00:0${at}.000000+00:00 app[run.1]: ${text}\n`;

test('each session begins with what was told before: it is heard once, and what lies between two is not lost', () => {
  const transcript = new Transcript();
  const first = transcript.session();
  expect(first(line(1, 'one') + line(1, 'one'))).toEqual(['one', 'one']);
  // The connection is cut within a line.
  expect(first(line(2, 'two').slice(0, 30))).toEqual([]);
  const second = transcript.session();
  expect(second(line(1, 'one') + line(1, 'one') + line(2, 'two'))).toEqual(['two']);
  const third = transcript.session();
  // A session tells the last lines only.
  expect(third(line(2, 'two') + line(3, 'one'))).toEqual(['one']);
  expect(transcript.lines).toEqual(['one', 'one', 'two', 'one']);
});
