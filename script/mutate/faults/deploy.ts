import { faultsOf } from '../fault.js';

/** Stacks that are made and changed, and what goes with a bucket. */
export const DEPLOY = [
  ...faultsOf('lib/deploy/change-stack.client.ts', {
    'stack-of-others-changed': [`if (before.exists && !before.ours) await requireOwnStack(aws, stack);`, ``, 'deploy'],
    'changed-after-somebody-else': [`if (from !== undefined) {`, `if (from === '') {`, 'deploy'],
    'one-failed-look-gives-up': [`(unseen += 1) > UNSEEN`, `(unseen += 1) > 0`, 'deploy'],
    'failed-rollback-left': [`await client.send(new sdk.ContinueUpdateRollbackCommand(of()));`, ``, 'deploy'],
    'failed-update-left': [`await client.send(new sdk.RollbackStackCommand(of()));`, ``, 'deploy'],
    'review-of-others-deleted': [`if (before.status === 'REVIEW_IN_PROGRESS') await refuseReview(aws, stack);`, ``, 'deploy'],
    'own-review-in-the-way': ['!ChangeSetName.startsWith(IMPORT_CHANGE_SET)', `ChangeSetName.length > 0`, 'deploy'],
    'makes-what-it-was-to-change': [`if (tags === undefined && (anew || !before.exists))`, `if (tags === undefined && anew)`, 'deploy'],
    'protection-never-changed': [`if (protect !== undefined && protect !== before.protected)`, `if (protect === undefined)`, 'deploy'],
    'failure-taken-for-done': [
      `if (after.status !== 'CREATE_COMPLETE' && after.status !== 'UPDATE_COMPLETE') throw`,
      `if (after.status === undefined) throw`,
      'deploy',
    ],
    'what-is-left-not-told': [`ResourceStatus === 'DELETE_FAILED'`, `ResourceStatus === 'DELETE_SKIPPED'`, 'deploy'],
  }),
  ...faultsOf('lib/deploy/deploy.client.ts', {
    'stacks-one-by-one': [`underWay.size >= concurrency`, `underWay.size >= 1`, 'deploy'],
    'stacks-without-bound': [`underWay.size >= concurrency`, `underWay.size >= 1000`, 'deploy'],
    'before-what-it-needs': [`await Promise.all(after.map((needed) => underWay.get(needed)));`, ``, 'deploy'],
    'deployed-without-what-it-needs': [
      `after.includes(needed.id) && failed.has(needed.stack)`,
      `after.includes(needed.id) && done.has(id)`,
      'deploy',
    ],
    'own-change-taken-for-anothers': [`seen.set(stack, await now());`, `seen.set(stack, '');`, 'deploy'],
    'failure-of-one-lost': [`failed.set(stack, error as KitError);`, ``, 'deploy'],
    'what-all-would-meet-lost': [`if (every !== undefined) throw every;`, ``, 'deploy'],
    'not-begun-and-not-told': [`for (const left of rest) failed.set(left.stack, cause);`, ``, 'deploy'],
  }),
  ...faultsOf('lib/deploy/stacks.plan.ts', {
    'team-held-up-by-anothers-stack': [`stacksFor(config, [team])`, `stacksFor(config, config.teams)`, 'deploy'],
  }),
  ...faultsOf('lib/deploy/prepare.client.ts', {
    'bucket-taken-from-a-stack-under-way': [`if (was !== undefined || there) await alone();`, ``, 'deploy'],
  }),
  ...faultsOf('lib/aws/aws.ts', {
    'throttled-stacks-pause-each-by-itself': [`retryMode: 'adaptive'`, `retryMode: 'standard'`, 'deploy'],
    'dropped-packets-waited-for-again': [`if (network.reached.has('aws') || !NO`, `if (!NO`, 'deploy'],
  }),
  ...faultsOf('lib/aws/bucket.ts', {
    'refused-deletions-taken-for-done': [
      `if (first !== undefined) throw Object.assign`,
      `if (first?.Code === '') throw Object.assign`,
      'deploy',
    ],
    'passing-refusal-not-tried-again': [`left.length > 0 && left.every(`, `left.length > 1000 && left.every(`, 'deploy'],
  }),
];
