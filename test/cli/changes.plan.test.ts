import { describe, expect, test } from 'vitest';
import { dryRunExitCode, isChanging, sentencesOf, tallyOf, type Changes } from '../../lib/cli/changes.plan.js';
import { renderPlans, renderStacks } from '../../lib/cli/render.js';
import type { Plan, Step } from '../../lib/engine/model.js';

const SECRET = 'HALCYON_AWS_SECRET_ACCESS_KEY';
const planOf = (...steps: Step[]): Plan => ({ steps, waiting: [], blocked: [], notices: [], left: [] });
const of = { principal: 'payments/upload', user: 'halcyon.team.payments.upload.abcdef' };
const create: Step = { ...of, kind: 'create-key', reason: 'it has no key yet' };
const wait = (hours: number): Step => ({ kind: 'wait', reason: `AKIAOLD: inactive until ${hours}:00 UTC`, later: true });
const remove = (hours: number): Step => ({ ...of, kind: 'delete-key', keyId: 'AKIAOLD', reason: `inactive for ${hours} h and not missed` });
const writes = (apps: readonly string[], from: string | null = null): Step => ({
  ...{ kind: 'write-apps', reason: 'they differ from the file', wave: 'all' },
  apps: apps.map((app) => ({
    ...{ app, keyId: 'AKIANEW' },
    changes: [
      { name: 'HALCYON_S3_BUCKET', from, to: 'packages' },
      { name: SECRET, from: 'sha256:0123456789ab', to: `sha256:${app}` },
    ],
  })),
});
const team = (name: string, ...steps: Step[]) => ({ team: name, plan: planOf(...steps) });
const THOUSAND = Array.from({ length: 1000 }, (_, n) => `app-${n}`);

describe('a picture of many like changes', () => {
  test('of a thousand apps is a line and a number, with all of them under --verbose', () => {
    const plans = [team('payments', writes(THOUSAND))];
    const text = renderPlans(plans);
    expect(text.split('\n').length).toBeLessThan(8);
    expect(text).toContain('app-0, app-1, app-2 and 997 more');
    expect(text).toContain('HALCYON_S3_BUCKET: unset → packages');
    expect(text).toContain(`${SECRET}: sha256:0123456789ab → (1000 different ones, shown by -v)`);
    const all = renderPlans(plans, true);
    for (const app of THOUSAND) expect(all).toContain(`${SECRET}: sha256:0123456789ab → sha256:${app}\n`.trimEnd());
  });

  test('of a hundred teams as well; those that are in order are named apart', () => {
    const many = THOUSAND.slice(0, 100).map((name) => team(name, { ...create, principal: `${name}/upload` }, writes([`web-of-${name}`])));
    const text = renderPlans([...many, team('calm')]);
    expect(text).toContain('Keys and config vars of 100 teams');
    expect(text).toMatch(/1 +make key +app-0\/upload, app-1\/upload, app-2\/upload and 97 more/);
    expect(text).toContain('web-of-app-0, web-of-app-1, web-of-app-2 and 97 more of app-0, app-1, app-2 and 97 more');
    expect(text).toContain('calm: keys and config vars are as they should be');
    expect(text.split('\n').length).toBeLessThan(12);
  });

  test('of deletions that wait each for another hour, comes after all of them', () => {
    const soak = (keyId: string): Step[] => [
      { kind: 'wait', later: true, reason: `${keyId}: inactive until then` },
      { ...of, user: keyId, kind: 'delete-key', keyId, reason: 'after its soak' },
    ];
    const text = renderPlans([team('payments', ...soak('AKIAONE'), ...soak('AKIATWO'))]);
    expect(text.match(/^\d +(later|delete key)/gm)).toEqual(['1  later', '2  later', '3  delete key']);
  });

  test("of a user's second time round is told after the first", () => {
    const key = (kind: 'delete-key' | 'deactivate', keyId: string): Step => ({ ...of, kind, keyId, reason: 'no app holds it' });
    const text = renderPlans([
      team('payments', key('delete-key', 'AKIAOLDER'), key('deactivate', 'AKIAOLD'), key('delete-key', 'AKIAOLD')),
    ]);
    expect(text.match(/^\d .*AKIA\w+/gm)).toEqual([
      expect.stringMatching(/^1 +delete key .*AKIAOLDER$/),
      expect.stringMatching(/^2 +deactivate key .*AKIAOLD$/),
      expect.stringMatching(/^3 +delete key .*AKIAOLD$/),
    ]);
  });

  test('of a team that is blocked does not say that all is well', () => {
    const blocked = [{ code: 'user-missing' as const, text: 'no user' }];
    expect(renderPlans([{ team: 'calm', plan: { ...planOf(), blocked } }])).toBe('blocked: no user');
  });

  test('of resources: replacement and deletion in words, and IAM statements where a stack changes', () => {
    const change = (action: 'replace' | 'delete' | 'update', more = {}) => ({
      ...{ action, type: 'AWS::IAM::User', logicalId: `U${action}`, properties: ['Policies'] },
      ...more,
    });
    const statement = { effect: 'Allow', actions: 's3:GetObject', resource: 'arn:1', principal: 'AWS:${Uupdate}', condition: '' };
    const stack = (name: string) => ({
      ...{ stack: name, changes: [change('replace'), change('delete'), change('delete', { stays: true }), change('update')] },
      statements: [
        { action: 'remove' as const, ...statement },
        { action: 'add' as const, ...statement, actions: 's3:GetObject\ns3:DeleteObject', resource: `arn:${name}` },
      ],
    });
    const text = renderStacks(THOUSAND.map(stack));
    expect(text).toContain('is made anew, and the old one deleted: Policies');
    expect(text).toMatch(/ is deleted$/m);
    expect(text).toContain('leaves the stack, and stays');
    expect(text).toContain('- app-0, app-1, app-2 and 997 more: Allow s3:GetObject on arn:1 to AWS:${Uupdate}');
    expect(text).toContain(
      '+ app-0, app-1, app-2 and 997 more: Allow s3:GetObject, s3:DeleteObject on arn:app-0, arn:app-1, arn:app-2 and 997 more',
    );
    expect(text.split('\n').length).toBeLessThan(12);
  });

  test('counts restarts and requests', () => {
    expect(tallyOf({ teams: [team('payments', create, writes(['a', 'b']))] })).toBe(
      'In all: 1 key made, 4 config vars, 2 restarts, 4 requests to Heroku',
    );
    // What Heroku does not take at once, it takes at 75 a minute.
    const many = { teams: [team('payments', writes(Array.from({ length: 100 }, (_, n) => `app-${n}`)))] };
    expect([200, 199, 50].map((left) => /(\d+) requests to Heroku(.*)/.exec(tallyOf(many, left))?.slice(1))).toEqual([
      ['200', ''],
      ['200', ", about 1 min at this account's rate"],
      ['200', ", about 2 min at this account's rate"],
    ]);
    expect(tallyOf({ teams: [team('payments')] })).toBe('');
  });

  test('counts what this run does: not what comes after a soak, nor what leaves a stack and stays', () => {
    const drop: Step = { ...of, kind: 'delete-principal', reason: 'nobody needs it' };
    expect(tallyOf({ teams: [team('payments', create, wait(24), remove(24), drop)] })).toBe('In all: 1 key made');
    const change = { action: 'delete' as const, type: 'AWS::IAM::User', logicalId: 'U' };
    const stacks = [{ stack: 's', changes: [change, { ...change, stays: true }] }];
    const gone = ['stack halcyon-old in eu-west-1', 'bucket halcyon-old'];
    expect(tallyOf({ teams: [team('old', remove(0), drop)], stacks, gone })).toBe(
      'In all: 1 stack, 1 resource deleted, 1 stack deleted, 1 bucket deleted, 1 key deleted, 1 user deleted',
    );
  });

  test('shows what a later run does last, and a soak once', () => {
    const reason = 'AKIAOLD: inactive until 2026-06-02 12:00 UTC';
    const soaking = { kind: 'soak' as const, keyId: 'AKIAOLD', principal: 'payments/upload', text: reason };
    const text = renderPlans([
      { team: 'payments', plan: { ...planOf({ kind: 'wait', reason, later: true }, remove(24)), waiting: [soaking] } },
      team('search', create),
    ]);
    expect(text.match(/make key|later|delete key/g)).toEqual(['make key', 'later', 'delete key']);
    expect(text.split('inactive until')).toHaveLength(2);
  });
});

test('what is waited for is told once, though its row is about more keys, or fewer', () => {
  const soak = (keyId: string) => ({
    ...{ kind: 'soak' as const, keyId, principal: 'payments/upload', text: `${keyId}: inactive until 12:00 UTC` },
  });
  const other = { ...soak('AKIATHREE'), kind: 'holds' as const, text: 'a holds AKIATHREE' };
  const rows: Step[] = ['AKIAONE, AKIATWO', 'AKIAFOUR'].map((keys) => ({ kind: 'wait', reason: `${keys}: inactive until 12:00 UTC` }));
  const waiting = [...['AKIAONE', 'AKIATWO', 'AKIATHREE'].map(soak), other];
  const remarks = renderPlans([{ team: 'payments', plan: { ...planOf(...rows), waiting } }])
    .split('\n')
    .filter((line) => line.startsWith('waiting'));
  expect(remarks).toEqual(['waiting: AKIATHREE: inactive until 12:00 UTC', 'waiting: a holds AKIATHREE']);
});

describe('the same plan', () => {
  const changes = (...steps: Step[]): Changes => ({ teams: [team('payments', ...steps)] });

  test('says the same an hour later, and something else when anything else would be done', () => {
    expect(sentencesOf(changes(wait(3), remove(24)))).toEqual(sentencesOf(changes(wait(2), remove(25))));
    expect(sentencesOf(changes(writes(['a'])))).not.toEqual(sentencesOf(changes(writes(['a'], 'elsewhere'))));
    expect(sentencesOf(changes(writes(['a'])))).not.toEqual(sentencesOf(changes(writes(['b']))));
    const update = (digest: string) => ({
      ...{
        teams: [],
        stacks: [{ stack: 's', changes: [{ action: 'update' as const, type: 'T', logicalId: 'L', properties: ['P'], digest }] }],
      },
    });
    expect(sentencesOf(update('one'))).not.toEqual(sentencesOf(update('two')));
  });

  test.each([
    [0, changes()],
    [0, changes(wait(3), remove(24))],
    [0, changes({ kind: 'wait', reason: 'build b1' })],
    [2, changes({ kind: 'wait', reason: 'inactive for ten minutes more' }, remove(24))],
    [2, changes(create)],
    [2, { teams: [], gone: ['stack halcyon-payments in eu-west-1'] }],
    [1, { teams: [{ team: 'payments', plan: { ...planOf(create), blocked: [{ code: 'slots-full', text: 'both' }] } }] }],
    [1, { teams: [{ team: 'payments', plan: { ...planOf(), left: [{ app: 'a', text: 'gone' }] } }] }],
  ])('ends a dry run with %i', (code, what: Changes) => {
    expect(dryRunExitCode({ detailedExitcode: true }, what)).toBe(code);
    if (code !== 1) expect(isChanging(what)).toBe(code === 2);
    expect(dryRunExitCode({}, what)).toBe(what.teams.some(({ plan }) => plan.blocked.length > 0) ? 1 : 0);
  });
});
