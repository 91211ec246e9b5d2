import { describe, expect, test } from 'vitest';
import { renderStacks } from '../../lib/cli/render.js';
import { teamNamed } from '../../lib/config/index.js';
import { isStackChanged, stackChanges, stackFailed, stacksFor } from '../../lib/deploy/stacks.plan.js';
import { KitError } from '../../lib/errors.js';
import { EXAMPLE, exampleConfig } from '../support/config.js';

describe('a stack whose template is as it should be', () => {
  const same = { stack: 'halcyon-payments', changes: [] };

  test.each(['CREATE_COMPLETE', 'UPDATE_COMPLETE', 'UPDATE_ROLLBACK_COMPLETE', undefined])('%s: is left alone', (status) => {
    expect(isStackChanged(stackChanges(same, status))).toBe(false);
    expect(renderStacks([stackChanges(same, status)])).toBe('Stacks: no change');
  });

  test.each([
    ['ROLLBACK_COMPLETE', 'its last creation failed: is made anew'],
    ['ROLLBACK_FAILED', 'its last creation failed: is made anew'],
    ['CREATE_FAILED', 'its last creation failed: is made anew'],
    ['DELETE_FAILED', 'its last deletion failed: is completed, and the stack made anew'],
  ])('%s: is deployed all the same', (status, words) => {
    const seen = stackChanges(same, status);
    expect(isStackChanged(seen)).toBe(true);
    expect(renderStacks([seen])).toContain(words);
  });
});

test('a renamed team’s stack says what it was, and of which deployment it is', () => {
  const config = exampleConfig(`deployment: acme\n${EXAMPLE.replace('  payments:\n', '  payments:\n    was: billing\n')}`);
  const target = stacksFor(config, config.teams).find(({ name }) => name === 'halcyon-payments');
  expect(target).toMatchObject({
    ...{ was: 'halcyon-billing', deployment: 'acme' },
    bucket: { owner: 'billing', name: 'halcyon-billing-111122223333-eu-west-1' },
  });
});

test('only the selected teams’ accounts serve the buildpack', () => {
  const config = exampleConfig(
    EXAMPLE.replace('{ account: "111122223333", region: eu-west-1,', '{ account: "444455556666", region: eu-west-1,'),
  );
  const targets = (team: string) => stacksFor(config, [teamNamed(config, team)]).map(({ name, bucket }) => [name, bucket?.account]);
  expect(targets('payments')).toEqual([
    ['halcyon-buildpack', '444455556666'],
    ['halcyon-payments', '444455556666'],
  ]);
  expect(targets('search')).toEqual([
    ['halcyon-buildpack', '111122223333'],
    ['halcyon-bucket-common', '111122223333'],
    ['halcyon-search', undefined],
  ]);
});

test('a team cannot go on without any of the stacks that it needs, and needs no other', () => {
  const config = exampleConfig();
  const without = (stack: string) => {
    const failed = new Map([[stack, new KitError('deploy-failed', 'it failed')]]);
    return ['payments', 'search'].filter((team) => stackFailed(config, teamNamed(config, team), failed) !== undefined);
  };
  expect([without('halcyon-payments'), without('halcyon-bucket-common'), without('halcyon-other')]).toEqual([['payments'], ['search'], []]);
});
