import { Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { KitError } from '../../lib/errors.js';
import { inStep } from '../../lib/io/io-host.js';
import { registerSecret } from '../../lib/io/redaction.js';
import { createTerminal, fitted, seconds } from '../../lib/io/terminal.js';

function capture(live: boolean, verbose = false, columns?: number) {
  let raw = '';
  let clock = 0;
  const stream = new Writable({
    write(chunk, _encoding, done) {
      raw += String(chunk);
      done();
    },
  });
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
  const io = createTerminal({ stream, live, verbose, now: () => clock });
  return { io, raw: () => raw, lines: () => stripVTControlCharacters(raw).split('\n'), pass: (ms: number) => (clock += ms) };
}

test('without a terminal there are plain lines, and a long step says now and then what it is doing', () => {
  const { io, lines, pass } = capture(false);
  const step = io.step('deploying halcyon-payments');
  step.update('too soon to say');
  pass(5_000);
  step.update('Bucket CREATE_IN_PROGRESS');
  step.update('Bucket CREATE_IN_PROGRESS');
  step.update('too soon after that');
  pass(60_000);
  step.done('2 resources');
  expect(lines()).toEqual([
    '- deploying halcyon-payments …',
    '  deploying halcyon-payments: Bucket CREATE_IN_PROGRESS',
    '✔ deploying halcyon-payments: 2 resources 1 min 5 s',
    '',
  ]);
});

test('on a terminal the running step is redrawn in place and erased when it ends', () => {
  const { io, raw } = capture(true);
  const step = io.step('waiting');
  step.update('for a build');
  step.fail('it took too long');
  const last = raw().split('\r\x1b[2K').at(-1) ?? '';
  expect(stripVTControlCharacters(last)).toBe('✘ waiting: it took too long 0.0 s\n');
  io.close();
});

test('details are shown only when asked for', () => {
  const quiet = capture(false);
  quiet.io.debug('detail');
  expect(quiet.raw()).toBe('');
  const verbose = capture(false, true);
  verbose.io.debug('detail');
  expect(verbose.lines()[0]).toBe('detail');
});

test('what is registered as secret never reaches the stream, by whichever method', () => {
  const canary = 'canary-terminal-0123456789';
  registerSecret(canary);
  for (const live of [true, false]) {
    const { io, raw } = capture(live, true);
    io.info(canary);
    io.warn(canary);
    io.debug(canary);
    const step = io.step(canary);
    step.update(canary);
    step.done(canary);
    io.step('x').fail(canary);
    io.close();
    expect(raw()).not.toContain(canary);
  }
});

describe('a note in a narrow terminal', () => {
  const secret = 'canary/of+a/secret/that/is/forty/chars/1';
  registerSecret(secret);
  const note = `note: what payments-api archived with ${secret} stays there, as nobody asked for it: prebuild anew`;
  const narrow = [
    ...['note: what payments-api archived with', '  [redacted] stays there, as nobody', '  asked for it: prebuild anew'],
    ...['    set in, and as long as the others', '      are', ''],
  ];
  const text = `${note}\n    set in, and as long as the others are\n`;

  test('is wrapped between words, and holds no piece of a secret', () => {
    expect(fitted(text, { isTTY: true, columns: 40 }).split('\n')).toEqual(narrow);
    const { io, raw, lines } = capture(false, false, 40);
    io.info(text.trimEnd());
    io.warn(note);
    io.step(note).done();
    expect(lines().slice(0, 5)).toEqual(narrow.slice(0, 5));
    expect(lines().every((line) => line.length <= 40)).toBe(true);
    expect(stripVTControlCharacters(raw()).replaceAll(/\s+/g, '')).not.toMatch(/canary|chars/);
  });

  test.each([
    ['that has room', { isTTY: true, columns: 120 }],
    ['that was not told its width', { isTTY: true, columns: 0 }],
    ['that is none', { columns: 40 }],
  ])('of one %s a line stays a line', (_, stream) => {
    expect(fitted(text, stream)).toBe(text.replace(secret, '[redacted]'));
  });

  test.each([
    'run "aws cloudformation delete-stack --stack-name halcyon-payments --region eu-west-1"',
    'put the team back and run halcyon-kit up payments --yes --no-smoke, which makes them anew',
    '1  make key   payments/upload   it has no key yet, and its apps wait for one',
  ])('leaves to it what is to be copied, and rows of tables: %s', (text) => expect(fitted(text, { isTTY: true, columns: 40 })).toBe(text));

  test('breaks no word, which may be a name or an address', () => {
    const name = 'halcyon-payments-111122223333-eu-west-1-and-longer';
    expect(fitted(`bucket ${name} stays`, { isTTY: true, columns: 30 })).toBe(`bucket\n  ${name}\n  stays`);
  });
});

test.each([
  ['an abort', new DOMException('This operation was aborted', 'AbortError')],
  ['Ctrl-C', new KitError('interrupted', 'run again to go on')],
])('a step that %s ended did not fail', async (_what, reason) => {
  const { io, lines } = capture(false);
  await expect(inStep(io, 'work', () => Promise.reject(reason))).rejects.toBe(reason);
  expect(lines()[1]).toMatch(/^■ work: interrupted/);
});

test('inStep reports failure and passes on why, which is told once', async () => {
  const { io, lines } = capture(false);
  await expect(inStep(io, 'work', () => Promise.reject(new Error('no luck')))).rejects.toThrow('no luck');
  expect(lines()[1]).toMatch(/^✘ work \d/);
});

test.each([
  [0, '0.0 s'],
  [940, '0.9 s'],
  [9_949, '9.9 s'],
  [9_960, '10 s'],
  [59_600, '1 min 0 s'],
  [185_000, '3 min 5 s'],
])('%i ms reads %s', (ms, text) => expect(seconds(ms)).toBe(text));

test('escapes in what is said reach the stream as text, by whichever method', () => {
  const { io, raw } = capture(false, true);
  const bad = 'name\u001b[2J\u009b2J\u001b]0;title\u0007';
  io.info(bad);
  io.warn(bad);
  io.debug(bad);
  const step = io.step(bad);
  step.done(bad);
  io.step(bad).fail(bad);
  const live = capture(true);
  live.io.step(bad).update(`${bad}\nsecond line`);
  live.io.close();
  for (const sent of [raw(), live.raw()])
    expect(sent.replace(/\u001b\[\d*m|\r\u001b\[2K/g, '')).not.toMatch(/[\u001b\u009b\u0007]|\u001b\[2J/);
  expect(live.raw()).not.toContain('\nsecond');
});
