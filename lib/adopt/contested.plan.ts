import { CONFIG_VAR_NAMES, type HeldConfigVars } from '../contract/index.js';
import type { Release } from '../heroku/heroku.js';
import type { Contested } from './model.js';

/** Of an app's releases, those worth a look at what they set: the description of a release names the config vars that it changed. */
const MOST_RELEASES = 12;

/** Newest first, as they come. A value that comes back takes three changes at least. Pure. */
export function worthALook(releases: readonly Release[]): Release[] {
  const ours = releases.filter(({ description }) => CONFIG_VAR_NAMES.some((name) => description.includes(name)));
  return ours.length < 3 ? [] : ours.slice(0, MOST_RELEASES);
}

/** Config vars that two writers set in turn, as far as values tell: A, then B, then A again. Oldest first. Pure. */
export function contestedAmong(history: ReadonlyArray<{ readonly version: number; readonly vars: HeldConfigVars }>): Contested[] {
  return CONFIG_VAR_NAMES.flatMap((name): Contested[] => {
    const changes = history
      .map(({ version, vars }) => ({ version, value: vars[name] }))
      .filter(({ value }, at, all) => at === 0 || value !== all[at - 1]?.value);
    const back = changes.some(({ value }, at) => value !== undefined && changes.slice(0, at).some((one) => one.value === value));
    return back ? [{ name, releases: changes.map(({ version }) => version) }] : [];
  });
}
