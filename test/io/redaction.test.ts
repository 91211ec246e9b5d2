import { expect, test } from 'vitest';
import { foreign, outgoing, redact, registerConfigVars, registerSecret, registerUrlSecrets } from '../../lib/io/redaction.js';

test('a registered secret is blanked in every form it may be written in', () => {
  const canary = 'cAnAry/one+two"three==';
  registerSecret(canary);
  for (const form of [canary, JSON.stringify({ canary }), encodeURIComponent(canary), Buffer.from(`:${canary}`).toString('base64')]) {
    const out = redact(`before ${form} after`);
    expect(out).toContain('[redacted]');
    expect(out).not.toContain('one+two');
    expect(out).toMatch(/^before .* after$/);
  }
});

test('the longest secret goes first, so that none is left half', () => {
  registerSecret('abcdefgh-short');
  registerSecret('abcdefgh-short-and-long');
  expect(redact('x abcdefgh-short-and-long y')).toBe('x [redacted] y');
});

test('of a secret of several lines each is blanked by itself, but for those that every such has', () => {
  const [one, two] = ['cAnAryLineOneOfAPrivateKey01', 'cAnAryLineTwoOfAPrivateKey02'];
  registerSecret(`-----BEGIN PRIVATE KEY-----\n${one}\r\n  ${two}\n/Q==\n-----END PRIVATE KEY-----\n`);
  const log = (line: string) => redact(`remote: ${line}`);
  expect([one, two].map(log)).toEqual(['remote: [redacted]', 'remote: [redacted]']);
  expect(log('-----BEGIN PRIVATE KEY-----')).toBe('remote: -----BEGIN PRIVATE KEY-----');
});

test('texts too short to be secrets are left alone', () => {
  registerSecret('1');
  registerSecret(undefined);
  expect(redact('HALCYON_NO_UPLOAD=1')).toBe('HALCYON_NO_UPLOAD=1');
});

test('a token in the URL of a private buildpack is a secret', () => {
  registerUrlSecrets(['https://deploy:canary-token-in-url@git.example.com/acme/buildpack', 'heroku/nodejs']);
  expect(redact('1. https://deploy:canary-token-in-url@git.example.com/acme/buildpack')).not.toContain('canary-token-in-url');
});

test('of overlapping secrets nothing is left, nor of one among many', () => {
  registerSecret('overlap-one-and-two');
  registerSecret('and-two-and-three');
  expect(redact('x overlap-one-and-two-and-three y')).toBe('x [redacted] y');
  for (let n = 0; n < 50_000; n += 1) registerSecret(`canary-${n}-of-many`);
  const text = 'nothing secret here, canary-1234-of-man; '.repeat(2_000);
  expect(redact(`${text}canary-49999-of-many`)).toBe(`${text}[redacted]`);
});

test("of an app's config vars what is secret by its name or looks like it is blanked; names stay readable", () => {
  registerConfigVars({
    DATABASE_URL: 'postgres://someone:canary-db-password@db.example.com/x',
    SMTP_PASSWORD: 'canary-smtp',
    PLAIN: 'cAnAry0123456789abcdefGH',
    AUTH_REGION: 'eu-central-1',
    OTHER_ACCESS_KEY_ID: 'AKIAEXAMPLE000000042',
    STORE: 'halcyon-payments-assets-2026',
  });
  registerConfigVars({ HALCYON_S3_BUCKET: 'halcyon-payments-111122223333/Team2' }, ['HALCYON_S3_BUCKET']);
  expect(redact('canary-db-password canary-smtp cAnAry0123456789abcdefGH')).toBe('[redacted] [redacted] [redacted]');
  const names = 'eu-central-1 AKIAEXAMPLE000000042 halcyon-payments-assets-2026 db.example.com halcyon-payments-111122223333/Team2';
  expect(redact(names)).toBe(names);
});

test('what looks like a key in the words of others is masked, though nobody has read it', () => {
  const said = foreign('Signature of\n AKIAEXAMPLE000000001:\u001b[31m wJalrXUtnFEMI/K7MDENG/bPxRfiCYcAnAry0KEY at https://a:canary@host');
  expect(said).toBe('Signature of AKIA…0001:\\u001b[31m [redacted] at https://[redacted]@host');
  expect(foreign('x '.repeat(50_000)).length).toBeLessThan(510);
});

test('what a terminal would obey is written, not sent; lines, tabs and the bold of tables stay', () => {
  expect(outgoing('a\tb\nc\u001b[2J\u009b31m\u0007\r\u202e\u001b]8;;x\u0007')).toBe(
    'a\tb\nc\\u001b[2J\\u009b31m\\u0007\\u000d\\u202e\\u001b]8;;x\\u0007',
  );
  expect(outgoing('\u001b[1mapp\u001b[22m')).toBe('\u001b[1mapp\u001b[22m');
  const data = { name: 'x\u009b2J\u001b\u202e' };
  expect(JSON.parse(outgoing(JSON.stringify(data)))).toEqual(data);
});
