import { faultsOf, type Fault } from '../fault.js';

/** What was set up by hand, described as a file; and what an app gets, in words. */
export const ADOPT: readonly Fault[] = [
  ...faultsOf('lib/adopt/describe.plan.ts', {
    'adopted-read-only-may-upload': [`app.vars.HALCYON_NO_UPLOAD === '1' ? 'read-only' : 'upload'`, `'upload'`, 'adopt'],
    'adopted-without-halcyons-own-acl': [`|| 'private'))`, `|| 'bucket-owner-full-control'))`, 'adopt'],
    'adopted-acl-that-the-bucket-refuses': [`acl = enforced || held === undefined`, `acl = held === undefined`, 'adopt'],
    'adopted-though-the-kits': [`KIT_USER.test(user)`, `false`, 'adopt'],
    'adopted-storages-overlap': [`a !== b && (within(a, b) || within(b, a))`, `false`, 'adopt'],
  }),
  ...faultsOf('lib/adopt/terraform.ts', {
    'terraform-sets-what-it-only-shows': [`['config_vars', 'sensitive_config_vars']`, `['config_vars', 'all_config_vars']`, 'adopt'],
  }),
  ...faultsOf('lib/adopt/contested.plan.ts', { 'unset-before-is-contested': [`value !== undefined && changes`, `changes`, 'adopt'] }),
  ...faultsOf('lib/cli/explain.plan.ts', {
    'explain-shows-the-secret': [`known && !(ofKey && secret)`, `known`, 'adopt'],
    'explain-shows-the-secret-held': [`live === undefined || same || secret`, `live === undefined || same`, 'adopt'],
  }),
];
