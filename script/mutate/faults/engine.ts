import { faultsOf } from '../fault.js';

/** Keys: the plan, the retire barrier, and how it is carried out. */
export const ENGINE = [
  ...faultsOf('lib/engine/plan/holders.plan.ts', {
    'review-apps-on-the-record': [` || stage !== name`, '', 'engine'],
    'apps-outside-unheeded': ['[...apps, ...outside]', '[...apps, ...outside.slice(0, 0)]', 'engine'],
    'key-given-before-it-is-written-down': [
      'user !== undefined && goals.has(user) ? user : undefined',
      'undefined as typeof user',
      'engine',
    ],
    'pruned-though-another-team-has-it': ['app.team === undefined && app', 'app', 'engine'],
  }),
  ...faultsOf('lib/engine/plan/retire.plan.ts', {
    'a-stage-explains-any-use': [`name === stage ? undefined : activity?.keyRelease?.at`, `activity?.keyRelease?.at`, 'engine'],
    'unobserved-app-holds-nothing': [
      `if (activity === undefined) return`,
      `if (activity === undefined) return []; else if (keyId === '') return`,
      'engine',
    ],
    'unreadable-app-holds-nothing': [`if (app.state === 'unreadable')\n`, `if (app.state === 'missing')\n`, 'engine'],
    'pending-release-unheeded': [`if (activity.releasePending)`, `if (activity.releasePending && keyId === '')`, 'engine'],
    'holder-unheeded': [`if (app.vars.HALCYON_AWS_ACCESS_KEY_ID === keyId) {`, `if (keyId === '') {`, 'engine'],
    'same-second-build-unheeded': [`<= Date.parse(keyRelease.at)`, `< Date.parse(keyRelease.at)`, 'engine'],
    'running-build-unheeded': [
      `.filter((running) => mayHoldOlder(activity, running))`,
      `.filter((running) => running.kind === 'dyno' && mayHoldOlder(activity, running))`,
      'rotation',
    ],
    'unexplained-use-unheeded': [`used <= explained + COARSE ||`, `used > 0 ||`, 'engine'],
    'no-soak': [`if (now < end) {`, `if (now < 0) {`, 'rotation'],
    'revoked-key-goes-while-held': [`if (apps.length === 0) return act`, `if (apps.length >= 0) return act`, 'engine'],
  }),
  ...faultsOf('lib/engine/plan/principal.plan.ts', {
    'any-orphan-is-ours': [`principal.keys.filter(ours).length === 1`, `principal.keys.length > 0`, 'engine'],
    'used-orphan-is-ours': [`isKnown(key) || key.lastUsedAt !== undefined`, `isKnown(key)`, 'engine'],
    'given-unverified': [`knowledge.verified.has(key.id)`, `key.id !== ''`, 'engine'],
    'unstored-key-in-use': [`if (held !== undefined) return step`, `if (held?.id === '') return step`, 'engine'],
    'refused-key-comes-back': [`key.fingerprint !== undefined && key.refused === undefined`, `key.fingerprint !== undefined`, 'engine'],
  }),
  ...faultsOf('lib/engine/plan/next.plan.ts', {
    'strangers-key-retires': [
      `if (!isKnown(key) && key.refused !== 'revoked') return false`,
      `if (key.id === '') return false`,
      'rotation',
    ],
    'rotates-twice': [`principal.keys.some((key) => key !== current && isKnown(key))`, `principal.keys.length > 9`, 'engine'],
  }),
  ...faultsOf('lib/engine/plan/apps.plan.ts', {
    'smoke-deploy-of-a-stage': [`moved.find(({ stage }) => stage === undefined)`, `moved[0]`, 'engine'],
    'no-smoke-between-waves': [`knowledge.canSmoke &&`, `knowledge.smoked.size > 0 &&`, 'engine'],
    'one-wave': [`size > moved.length) ?? total`, `size >= total) ?? total`, 'engine'],
    'canary-not-first': [`app.canary ? 0 :`, `app.canary ? 4 :`, 'engine'],
  }),
  ...faultsOf('lib/engine/run/keys.client.ts', {
    'no-intention-before-a-key': ['await tag(KEY_TAGS.creating, formatIntention(intention));', 'formatIntention(intention);', 'engine'],
    'key-made-unrecorded': ['await making({ at: intention.at, before: intention.before });', '', 'engine'],
    'intention-gone-before-the-key-is-stored': [
      `      await store(key);\n      await untag([KEY_TAGS.creating]);`,
      `      await untag([KEY_TAGS.creating]);\n      await store(key);`,
      'engine',
    ],
  }),
  ...faultsOf('lib/engine/run/reconcile.client.ts', {
    'final-step-on-an-old-look': [`isFinal(step) && !(looked`, `steps.length > 99 && !(looked`, 'engine'],
    'no-look-after-a-step': [`steps.every(({ kind }) => kind === 'verify')`, `steps.every(({ kind }) => kind !== 'wait')`, 'engine'],
    'a-key-as-it-was-long-ago': [`> MOMENT)`, `> 100 * MOMENT)`, 'engine'],
    'lease-not-taken': [`if (store !== undefined && !fence.has`, `if (store === undefined && !fence.has`, 'rotation'],
    'lease-kept': [`await context.fence.release();`, `void context.fence;`, 'rotation'],
  }),
  ...faultsOf('lib/engine/run/apply.client.ts', {
    'release-during-the-look-unseen': [
      `if ('keyId' in step) await confirmNotTakenUp`,
      `if (observation.team === '' && 'keyId' in step) await confirmNotTakenUp`,
      'engine',
    ],
  }),
  ...faultsOf('lib/engine/run/lease.client.ts', {
    'lease-taken-from-the-living': [`    if (left > 0) throw heldError`, `    if (left < 0) throw heldError`, 'rotation'],
  }),
  ...faultsOf('lib/engine/run/verify.client.ts', {
    'one-refusal-forgiven': [`    inARow = 0;\n    const waited`, `    const waited`, 'engine'],
  }),
  ...faultsOf('lib/engine/run/recent.ts', {
    'own-effects-forgotten': [`const LAG = 60_000`, `const LAG = -1`, 'engine'],
  }),
  ...faultsOf('lib/engine/ports/heroku-apps.client.ts', {
    'rollback-keeps-the-key': [`return names === undefined;`, `return names === '';`, 'engine'],
  }),
];
