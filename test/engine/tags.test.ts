import { describe, expect, test } from 'vitest';
import { formatIntention, keyMemory, parseIntention, staleTags } from '../../lib/engine/tags.js';

describe('tags', () => {
  const at = '2026-01-01T00:00:00.000Z';
  test.each([[[]], [['AKIA1']], [['AKIA1', 'AKIA2']]])('an intention is read as it was written, before %j', (before) => {
    const text = formatIntention({ at, by: 'ann b@laptop', before });
    expect(text).toMatch(/^[\w .:/=+@-]{1,256}$/);
    expect(parseIntention(text)).toEqual({ at, by: 'ann-b@laptop', before });
  });
  test.each([undefined, '', 'yesterday by me before', 'x'])('no intention: %j', (text) => expect(parseIntention(text)).toBeUndefined());
  test('what is remembered of a key, and what is about keys that are gone', () => {
    const tags = {
      'halcyon:inactive-since:A': at,
      'halcyon:refused:A': `revoked ${at}`,
      'halcyon:refused:B': 'nonsense',
      'halcyon:team': 'x',
    };
    expect(keyMemory(tags, 'A')).toEqual({ inactiveSince: at, refused: 'revoked' });
    expect(keyMemory(tags, 'B')).toEqual({});
    expect(staleTags(tags, ['A'])).toEqual(['halcyon:refused:B']);
  });
});
