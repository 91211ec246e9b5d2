import { CONFIG_VAR_NAMES, SECRET_CONFIG_VARS, type ConfigVarName, type DesiredConfigVars } from '../contract/index.js';

/** One of our config vars that is not as it should be. */
export interface ConfigVarChange {
  readonly name: ConfigVarName;
  readonly action: 'set' | 'change' | 'unset';
  /** Why, for people. */
  readonly reason: string;
  /** Values before and after; absent for secrets, and where there is none. */
  readonly from?: string;
  readonly to?: string;
}

/** What one app needs. Without changes nothing is sent: even a PATCH that changes nothing might make a release. */
export interface ConfigVarPlan {
  readonly app: string;
  readonly changes: readonly ConfigVarChange[];
  /** The app's dynos will restart: Heroku restarts all of them at a change of config vars. */
  readonly restarts: boolean;
}

/**
 * The changes that bring an app's config vars to `desired`. Pure. Config vars that are not ours are neither read nor touched.
 * @param current - the app's config vars as Heroku answered them.
 * @param options - `running`: whether the app has dynos. Default true, for asking costs a request an app.
 */
export function planConfigVars(
  app: string,
  current: Readonly<Record<string, string>>,
  desired: DesiredConfigVars,
  options: { readonly running?: boolean } = {},
): ConfigVarPlan {
  const changes = CONFIG_VAR_NAMES.flatMap((name): ConfigVarChange[] => {
    const from = Object.hasOwn(current, name) ? current[name] : undefined;
    const to = desired[name] ?? undefined;
    if (from === to) return [];
    const action = to === undefined ? 'unset' : from === undefined ? 'set' : 'change';
    const shown = SECRET_CONFIG_VARS.includes(name) ? {} : { from, to };
    return [{ name, action, reason: reasonFor(name, action, desired), ...shown }];
  });
  return { app, changes, restarts: changes.length > 0 && options.running !== false };
}

/** The body of the one PATCH that carries a plan out. */
export function patchOf(plan: ConfigVarPlan, desired: DesiredConfigVars): Record<string, string | null> {
  return Object.fromEntries(plan.changes.map(({ name }) => [name, desired[name]]));
}

/** Our names whose value in `current` is not the desired one. */
export function differing(current: Readonly<Record<string, string>>, desired: DesiredConfigVars): ConfigVarName[] {
  return planConfigVars('', current, desired).changes.map((change) => change.name);
}

function reasonFor(name: ConfigVarName, action: ConfigVarChange['action'], desired: DesiredConfigVars): string {
  const isKey = name === 'HALCYON_AWS_ACCESS_KEY_ID' || name === 'HALCYON_AWS_SECRET_ACCESS_KEY';
  if (action === 'unset') return `does not belong to mode ${modeOf(desired)}`;
  if (action === 'set') return isKey ? 'the app has no key yet' : 'not set yet';
  return isKey ? 'the app holds another key' : 'differs from the configuration';
}

function modeOf(desired: DesiredConfigVars): string {
  if (desired.HALCYON_S3_BUCKET === null) return 'public';
  return desired.HALCYON_NO_UPLOAD === null ? 'upload' : 'read-only';
}
