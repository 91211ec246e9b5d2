import { broken, NO_PRIVATE_STORAGE, ofApps, warning } from './finding.js';

/** Switches of Halcyon's that were meant for one build, or that switch private storage off. */
export const switches = ofApps(function* ({ name, access, switches: set }) {
  const on = (one: keyof typeof set) => !['', '0'].includes(set[one] ?? '');
  const unset = (one: keyof typeof set) => `heroku config:unset ${one} -a ${name}`;
  if (on('HALCYON_PURGE_CACHE'))
    yield warning('purge-cache-left', {
      message: 'HALCYON_PURGE_CACHE is still set: every build begins with an empty cache',
      looksLike: '"Purging cache" in every build, and slow builds',
      fix: unset('HALCYON_PURGE_CACHE'),
    });
  if (on('HALCYON_NO_BUILD_DEPENDENCIES'))
    yield warning('no-build-dependencies-left', {
      message: 'HALCYON_NO_BUILD_DEPENDENCIES is still set: what is not stored is never built',
      looksLike: '"Deploying buildpack only", also on a one-off dyno',
      fix: unset('HALCYON_NO_BUILD_DEPENDENCIES'),
    });
  if (on('HALCYON_NO_PRIVATE_STORAGE') && access !== undefined)
    yield broken('private-storage-off', {
      message: 'HALCYON_NO_PRIVATE_STORAGE is set, and it is in a private mode',
      looksLike: NO_PRIVATE_STORAGE,
      fix: unset('HALCYON_NO_PRIVATE_STORAGE'),
    });
});
