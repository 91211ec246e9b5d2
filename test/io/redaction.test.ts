import { expect, test } from 'vitest';
import { redact, registerSecret, registerUrlSecrets } from '../../lib/io/redaction.js';

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

test('texts too short to be secrets are left alone', () => {
  registerSecret('1');
  registerSecret(undefined);
  expect(redact('HALCYON_NO_UPLOAD=1')).toBe('HALCYON_NO_UPLOAD=1');
});

test('a token in the URL of a private buildpack is a secret', () => {
  registerUrlSecrets(['https://deploy:canary-token-in-url@git.example.com/acme/buildpack', 'heroku/nodejs']);
  expect(redact('1. https://deploy:canary-token-in-url@git.example.com/acme/buildpack')).not.toContain('canary-token-in-url');
});
