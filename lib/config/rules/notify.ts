import type { Rule } from './draft.js';

const WHERE = ['sns', 'webhook', 'webhookFrom'] as const;

/** Each names one place; what is sent to a known address is signed, by a secret that is not in the file. */
export const notifyFits: Rule = ({ notify = [] }, report) => {
  for (const [index, one] of notify.entries()) {
    if (typeof one !== 'object') continue;
    const at = ['notify', index];
    const given = WHERE.filter((name) => one[name] !== undefined);
    if (given.length > 1) report(at, `must name one of ${WHERE.join(', ')}, not ${given.join(' and ')}`, { hint: 'make several of it' });
    const unneeded = (['format', 'secretFrom'] as const).find((name) => one.sns !== undefined && one[name] !== undefined);
    if (unneeded !== undefined)
      report([...at, unneeded], 'goes with a webhook only: SNS signs by itself', { at: 'key', hint: 'remove it' });
    if (one.webhook !== undefined && one.secretFrom === undefined)
      report([...at, 'webhook'], 'must be signed, or anyone could tell it anything', {
        hint: 'add "secretFrom: NAME", the environment variable with the secret; where the URL itself is one, use webhookFrom',
      });
  }
};
