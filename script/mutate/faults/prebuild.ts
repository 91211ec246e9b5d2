import { faultsOf } from '../fault.js';

/** What is built beforehand, what is taken for of use, and what goes. */
export const PREBUILD = [
  ...faultsOf('lib/prebuild/prebuild.client.ts', {
    'holder-not-written-down': [`await holders.add(user, { id: (id = app.id), app: name });`, `id = app.id;`, 'prebuild'],
    'app-built-is-believed': [`const observed = there ? asked.url :`, `const observed = asked !== undefined ? asked.url :`, 'prebuild'],
    'compiler-taken-for-granted': [`if (!compiler && platform !== ''`, `if (!compiler && platform === ''`, 'prebuild'],
  }),
  ...faultsOf('lib/prebuild/prebuild.plan.ts', {
    'all-at-once': [`Math.max(-1, ...waits.map(([, at]) => at)) + 1`, `Math.max(-1, ...waits.map(() => -1)) + 1`, 'packages'],
    'build-told-not-to-build': [`NO_(ARCHIVE|BUILD|`, `NO_(ARCHIVE|`, 'packages'],
  }),
  ...faultsOf('lib/storage/packages.plan.ts', {
    'unread-builds-use-nothing': [`return allRead && usersOf`, `return usersOf`, 'packages'],
    'asked-for-told-as-unasked': [`usedBy?.length === 0`, `usedBy?.length !== 0`, 'packages'],
    'no-soak-after-a-new-upload': [`known !== undefined && known >= modified`, `known !== undefined`, 'packages'],
  }),
  ...faultsOf('lib/smoke/dyno.client.ts', {
    'lines-heard-twice': [`if (times <= (this.#heard.get(line) ?? 0)) return [];`, ``, 'dyno'],
  }),
];
