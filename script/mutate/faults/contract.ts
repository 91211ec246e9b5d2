import { faultsOf } from '../fault.js';

/** What apps are told, and what is different about what they have. */
export const CONTRACT = [
  ...faultsOf('lib/contract/config-vars.ts', {
    'no-upload-never-set': [`HALCYON_NO_UPLOAD: readOnly ? '1' : null`, `HALCYON_NO_UPLOAD: null`, 'guide'],
    'no-clean-never-set': [`readOnly || storage.clean === false ? '1' : null`, `null`, 'guide'],
    'acl-always-public-read': [`storage.acl ?? null`, `'public-read'`, 'guide'],
    'no-public-never-set': [`readOnly || storage.publicStorage !== 'fallback' ? '1' : null`, `null`, 'guide'],
    'no-public-always-set': [`readOnly || storage.publicStorage !== 'fallback' ? '1' : null`, `'1'`, 'places'],
    'prefix-not-told': [`halcyonBucket(storage.bucket ?? '', storage.prefix)`, `halcyonBucket(storage.bucket ?? '')`, 'places'],
    'signing-region-not-told': [`storage.signingRegion ?? null`, `null`, 'guide'],
    'public-app-told-more': [
      `CONFIG_VAR_NAMES.map((name) => [name, null])`,
      `CONFIG_VAR_NAMES.map((name) => [name, name === 'HALCYON_NO_PUBLIC_STORAGE' ? '1' : null])`,
      'guide',
    ],
    'another-var-is-ours': [
      `  HALCYON_NO_PUBLIC_STORAGE: { says: '1: never fall`,
      `  OTHER: { says: '', unset: '' },\n  HALCYON_NO_PUBLIC_STORAGE: { says: '1: never fall`,
      'sync',
    ],
    'diff-misses-what-is-unset': [
      `CONFIG_VAR_NAMES.filter((name) => (`,
      `CONFIG_VAR_NAMES.filter((name) => Object.hasOwn(current, name) && (`,
      'sync',
    ],
    'diff-misses-what-is-to-go': [
      `CONFIG_VAR_NAMES.filter((name) => (`,
      `CONFIG_VAR_NAMES.filter((name) => desired[name] !== null && (`,
      'rotation',
    ],
  }),
  ...faultsOf('lib/contract/modes.ts', {
    'append-only-may-clean': [`mode === 'upload' && !clean ? 'append-only' : mode`, `mode`, 'guide'],
  }),
  ...faultsOf('lib/heroku/sync.ts', {
    'patch-without-changes': [`changes.length > 0);`, `changes.length >= 0);`, 'sync'],
    'patch-of-everything': [
      `Object.fromEntries(changes.map((name) => [name, desired[name]]))`,
      `Object.fromEntries(Object.entries(desired).filter(([name]) => changes.length > 0 && name))`,
      'sync',
    ],
    'failed-release-passed-over': [`release.status !== 'succeeded'`, `release.status === 'pending'`, 'sync alone'],
    'pending-release-not-awaited': [`const waited = release.status === 'pending'`, `const waited = false`, 'sync'],
    'answer-not-compared': [`waited || differing(answered, desired).length > 0`, `waited`, 'sync alone'],
  }),
];
