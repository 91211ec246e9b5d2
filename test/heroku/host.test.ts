import { describe, expect, test } from 'vitest';
import { herokuApiUrl } from '../../lib/heroku/host.js';

describe('herokuApiUrl', () => {
  test.each([
    [undefined, 'https://api.heroku.com'],
    ['', 'https://api.heroku.com'],
    ['heroku.com', 'https://api.heroku.com'],
    ['api.heroku.com', 'https://api.heroku.com'],
    ['https://api.herokudev.com', 'https://api.herokudev.com'],
    ['http://localhost:5000', 'http://localhost:5000'],
    ['http://127.0.0.1:5000/', 'http://127.0.0.1:5000'],
  ])('%s is %s', (host, url) => expect(herokuApiUrl(host)).toBe(url));

  test.each([
    'example.com',
    'https://heroku.com.example.com',
    'https://evilheroku.com',
    'http://api.heroku.com',
    'ftp://x',
    'https://api.heroku.com@evil.example',
  ])('the token does not go to %s', (host) =>
    expect(() => herokuApiUrl(host)).toThrow(expect.objectContaining({ code: 'heroku-host-refused' })),
  );
});
