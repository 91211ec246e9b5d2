import { describe, expect, test } from 'vitest';
import { withGenerations } from '../../lib/config/generations.js';
import { userName } from '../../lib/contract/index.js';

const principal = { team: 'payments', access: 'upload' as const, reach: '0a1b2c', apps: [] };
const name = (generation: number) => userName({ ...principal, generation });
const generation = (exist: number[], inStack: number[], unfit: number[] = [], deploying = true) =>
  withGenerations(
    [principal],
    { exist: new Set(exist.map(name)), inStack: new Set(inStack.map(name)), unfit: new Set(unfit.map(name)) },
    deploying,
  )[0]?.generation ?? 1;

describe('the generation of a principal', () => {
  test.each<[string, number[], number[], number[], number]>([
    ['the first', [], [], [], 1],
    ['is what the stack has', [1], [1], [], 1],
    ['is the latest that the stack has', [1, 2], [1, 2], [], 2],
    ['is another where the name is taken by a user that left its stack', [1], [], [], 2],
    ['stays when an earlier one is gone', [2], [2], [], 2],
    ['is another where the user was deleted by hand', [], [1], [], 2],
    ['is another where the user is quarantined', [1], [1], [1], 2],
    ['goes on past both', [1, 3], [2], [], 4],
    ['is what the stack has, though a later one left it', [1, 2], [1], [], 1],
  ])('%s', (_, exist, inStack, quarantined, expected) => expect(generation(exist, inStack, quarantined)).toBe(expected));

  test('without a deployment, whoever is there serves', () => {
    expect(generation([1], [], [], false)).toBe(1);
    expect(generation([1, 2], [], [2], false)).toBe(1);
    expect(generation([], [1], [], false)).toBe(2);
    expect(generation([1], [2], [], false)).toBe(3);
  });

  test('is another where another team has the user of the app', () => {
    const own = { ...principal, app: 'payments-api' };
    const taken = new Set([userName(own)]);
    const [found] = withGenerations([own], { exist: taken, inStack: new Set(), unfit: taken }, false);
    expect(found?.generation).toBe(2);
  });

  test('is no other principal’s, however alike its name', () => {
    const other = new Set([userName({ ...principal, reach: 'ffffff' }), userName({ ...principal, team: 'payments-2' }), `${name(1)}-x`]);
    expect(withGenerations([principal], { exist: other, inStack: other })).toEqual([principal]);
  });
});
