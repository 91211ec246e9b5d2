import { expect, test } from 'vitest';
import { parseConfig } from '../../../lib/config/index.js';
import { TAGS } from '../../../lib/contract/index.js';
import type { UserRecord } from '../../../lib/engine/ports/ports.js';
import { principalsAmong } from '../../../lib/engine/run/observe.client.js';

const team = parseConfig(
  'deployment: acme\nteams: { new: { was: old, bucket: { account: "111122223333", region: eu-west-1 }, apps: { new-web: { mode: upload } } } }\n',
).teams[0]!;
const user = (of: string, deployment?: string): UserRecord => ({
  ...{ name: `halcyon.team.${of}.upload.abcdef`, path: `/halcyon/upload/${of}/`, keys: [] },
  tags: deployment === undefined ? {} : { [TAGS.deployment]: deployment },
});
const found = (...users: UserRecord[]) => principalsAmong(team, users).map(({ id, declared }) => [id.team, declared]);

test('users of the former name are the team’s, on their way out, but for those of another deployment', () => {
  expect(found(user('old', 'acme'))).toEqual([
    ['new', true],
    ['old', false],
  ]);
  expect(found(user('old', 'other'), user('old'))).toEqual([['new', true]]);
  expect(found(user('new'))).toEqual([
    ['new', true],
    ['new', false],
  ]);
  expect(found(user('new', 'other'))).toEqual([['new', true]]);
});
