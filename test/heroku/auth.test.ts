import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { herokuToken } from '../../lib/heroku/auth.js';
import { redact } from '../../lib/io/redaction.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'home-'));
});
afterEach(() => rm(home, { recursive: true }));
const netrc = (text: string) => writeFile(join(home, '.netrc'), text);

describe('herokuToken', () => {
  test('HEROKU_API_KEY comes first, trimmed, and is redacted from then on', async () => {
    await netrc('machine api.heroku.com\n  login a@example.com\n  password of-the-netrc-file\n');
    expect(await herokuToken({ HEROKU_API_KEY: ' of-the-environment\n' }, home)).toBe('of-the-environment');
    expect(redact('token of-the-environment')).toBe('token [redacted]');
  });

  test.each([
    [
      'many lines',
      'machine example.com\n  login x\n  password other\nmachine api.heroku.com\n  login a@example.com\n  password of-many-lines\n',
      'of-many-lines',
    ],
    ['one line', 'machine api.heroku.com login a@example.com password of-one-line\n', 'of-one-line'],
  ])('~/.netrc with %s', async (_, text, token) => {
    await netrc(text);
    expect(await herokuToken({}, home)).toBe(token);
    expect(redact(token)).toBe('[redacted]');
  });

  test("another host's own machine wins", async () => {
    await netrc('machine api.heroku.com\n  password of-production\nmachine api.herokudev.com\n  password of-development\n');
    expect(await herokuToken({ HEROKU_HOST: 'herokudev.com' }, home)).toBe('of-development');
  });

  test('the production token is never given to this machine', async () => {
    await netrc('machine api.heroku.com\n  password of-production\n');
    const asked = herokuToken({ HEROKU_HOST: 'http://localhost:5000' }, home);
    await expect(asked).rejects.toMatchObject({ code: 'heroku-credentials-missing', message: expect.stringContaining('localhost:5000') });
    await netrc('machine localhost\n  password of-the-sandbox\n');
    expect(await herokuToken({ HEROKU_HOST: 'http://localhost:5000' }, home)).toBe('of-the-sandbox');
  });

  test('without any, both ways are named', async () => {
    await expect(herokuToken({}, home)).rejects.toMatchObject({
      code: 'heroku-credentials-missing',
      message: expect.stringMatching(/HEROKU_API_KEY.*heroku login.*api\.heroku\.com/),
    });
  });

  test('a foreign host is refused before any file is read', async () => {
    await expect(herokuToken({ HEROKU_API_KEY: 'x', HEROKU_HOST: 'example.com' }, home)).rejects.toMatchObject({
      code: 'heroku-host-refused',
    });
  });
});
