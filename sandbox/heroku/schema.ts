import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormatsModule from 'ajv-formats';

const addFormats = addFormatsModule as unknown as (ajv: Ajv) => void;

interface Link {
  readonly method: string;
  readonly href: string;
  readonly rel: string;
  readonly targetSchema?: { $ref?: string };
}
interface Definition {
  readonly links?: Link[];
  readonly definitions?: Record<string, { pattern?: string }>;
}

/** Checks answers against the Platform API's own JSON schema. */
export class ApiSchema {
  private readonly routes: Array<{ method: string; pattern: RegExp; validator: () => ValidateFunction }> = [];

  /** @param file - the schema, as `heroku/platform-api` publishes it. */
  constructor(file: string) {
    // Draft 4 names that ajv knows under their later ones.
    const schema = renameIds(JSON.parse(readFileSync(file, 'utf8'))) as { definitions: Record<string, Definition>; $id?: string };
    // A local app is served on loopback, where the schema knows only Heroku's own domain.
    const webUrl = schema.definitions.app?.definitions?.web_url;
    if (webUrl) webUrl.pattern = '^http://127\\.0\\.0\\.1:\\d+/$';
    const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true });
    addFormats(ajv);
    ajv.addSchema({ ...schema, $id: 'heroku' });
    for (const [name, definition] of Object.entries(schema.definitions)) {
      for (const link of definition.links ?? []) {
        const target = targetOf(name, link);
        let compiled: ValidateFunction | undefined;
        this.routes.push({
          method: link.method,
          pattern: new RegExp(`^${link.href.replace(/\{[^}]*\}/g, '[^/]+')}$`),
          // Compiled when first asked for: there are hundreds.
          validator: () => (compiled ??= ajv.compile(target)),
        });
      }
    }
  }

  /** What is wrong with a successful answer: nothing, or one line for each error; undefined when the schema does not name the endpoint. */
  errors(method: string, path: string, body: unknown): string[] | undefined {
    const candidates = this.routes.filter((route) => route.method === method && route.pattern.test(path));
    if (candidates.length === 0) return undefined;
    // Two links may share an address (an app's own and a team's): one of them has to fit.
    const failures = candidates.map(({ validator }) => {
      const validate = validator();
      return validate(body) ? [] : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
    });
    return failures.find((errors) => errors.length === 0) ?? failures[0];
  }
}

function targetOf(name: string, link: Link): object {
  const qualify = (schema: unknown): unknown => JSON.parse(JSON.stringify(schema).replaceAll('"#/', '"heroku#/'));
  if (link.targetSchema !== undefined) return qualify(link.targetSchema) as object;
  const own = { $ref: `heroku#/definitions/${name}` };
  return link.rel === 'instances' ? { type: 'array', items: own } : link.rel === 'empty' ? {} : own;
}

function renameIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(renameIds);
  if (value === null || typeof value !== 'object') return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === '$schema' || (key === 'id' && typeof inner === 'string')) continue;
    out[key] = renameIds(inner);
  }
  return out;
}
