import { CONFIG_VAR_NAMES } from '../contract/index.js';
import { KitError } from '../errors.js';

export interface InTerraform {
  readonly apps: readonly string[];
  /** Config vars of ours that its configuration sets, by app. */
  readonly sets: ReadonlyMap<string, readonly string[]>;
}

type Json = Readonly<Record<string, unknown>>;
const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const objects = (value: unknown): Json[] => (Array.isArray(value) ? value.map(object) : []);
const LONGEST = 50;

/**
 * Heroku apps in what `terraform show -json` prints (https://developer.hashicorp.com/terraform/internals/json-format, state and plan), with
 * what the heroku provider sets on them. Names alone are read: values may be secret, and go nowhere. Pure.
 * @throws KitError `terraform-unreadable`.
 */
export function readTerraform(text: string): InTerraform {
  let json: Json;
  try {
    json = object(JSON.parse(text));
  } catch {
    // The parser's message quotes the text.
    throw new KitError('terraform-unreadable', 'what --terraform names is not JSON; make it with "terraform show -json"');
  }
  const root = object(object(json.values ?? object(json.planned_values)).root_module);
  const of = (module: Json, depth = 0): Json[] =>
    depth > LONGEST ? [] : [...objects(module.resources), ...objects(module.child_modules).flatMap((child) => of(child, depth + 1))];
  const resources = of(object(root)).map((one) => ({ type: one.type, values: object(one.values) }));
  const named = new Map<unknown, string>();
  for (const { type, values } of resources)
    if (type === 'heroku_app' && typeof values.name === 'string')
      for (const id of [values.name, values.id, values.uuid]) if (id) named.set(id, values.name);
  const sets = new Map<string, string[]>();
  for (const { type, values } of resources) {
    // `all_config_vars` is what Heroku has, whoever set it.
    const fields =
      type === 'heroku_app'
        ? ['config_vars', 'sensitive_config_vars']
        : type === 'heroku_app_config_association'
          ? ['vars', 'sensitive_vars']
          : [];
    const app = named.get(type === 'heroku_app' ? values.name : values.app_id);
    const ours = CONFIG_VAR_NAMES.filter((name) => fields.some((field) => Object.hasOwn(object(values[field]), name)));
    if (app !== undefined && ours.length > 0) sets.set(app, [...new Set([...(sets.get(app) ?? []), ...ours])]);
  }
  return { apps: [...new Set(named.values())].sort(), sets };
}
