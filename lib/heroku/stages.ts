import { parseStage, stageName, type PipelineStage } from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';
import type { Build, Heroku } from './heroku.js';

/** What Heroku tells of pipelines' stages, by the pipeline's id. */
export interface StageApi {
  /** By its name or id. */
  pipeline(identity: string): Promise<{ readonly id: string; readonly name: string; readonly createdAt: string }>;
  configVars(pipeline: string, stage: PipelineStage): Promise<Record<string, string>>;
  patch(
    pipeline: string,
    stage: PipelineStage,
    changes: Readonly<Record<string, string | null>>,
    guard?: () => Promise<void>,
  ): Promise<Record<string, string>>;
  /** Review apps that were made, or test runs: pending as long as they may still ask for the stage's config vars, or work with them. */
  runs(pipeline: string, stage: PipelineStage): Promise<Build[]>;
}

/** What a service's clock is known to. */
const COARSE = 1000;

/**
 * The same, to which a stage of a pipeline (`pipeline:NAME:review`) is one more app: it has config vars, and what is made with them are its
 * builds. It has no releases, so that since when it has its present key is known from when this process first saw it there: whatever was
 * made before that counts as made with the key before.
 */
export function withStages(heroku: Heroku, api: StageApi): Heroku {
  const pipelines = new Map<string, ReturnType<StageApi['pipeline']>>();
  const since = new Map<string, { readonly key: string | undefined; readonly at: string }>();
  const find = async (app: string) => {
    const { pipeline, stage } = parseStage(app)!;
    const asked = pipelines.get(pipeline) ?? api.pipeline(pipeline);
    pipelines.set(pipeline, asked);
    try {
      return { ...(await asked), stage };
    } catch (error) {
      pipelines.delete(pipeline);
      if (!isKitError(error, 'heroku-not-found')) throw error;
      throw new KitError('app-not-found', `Heroku has no pipeline "${pipeline}" that this account may see; check its name and your access`);
    }
  };
  const now = () => new Date(heroku.now() + COARSE).toISOString();
  const note = (id: string, vars: Record<string, string>) => {
    const key = vars.HALCYON_AWS_ACCESS_KEY_ID;
    if (since.get(id)?.key !== key || !since.has(id)) since.set(id, { key, at: now() });
    return vars;
  };
  const stages: Pick<Heroku, 'app' | 'configVars' | 'patchConfigVars' | 'releases' | 'builds' | 'dynos'> = {
    app: async (app) => {
      const { id, name, createdAt, stage } = await find(app);
      return { id: stageName(id, stage), name: stageName(name, stage), generation: 'cedar', stack: '', createdAt };
    },
    configVars: async (app) => {
      const { id, stage } = await find(app);
      return note(stageName(id, stage), await api.configVars(id, stage));
    },
    patchConfigVars: async (app, changes, guard) => {
      const { id, stage } = await find(app);
      return note(stageName(id, stage), await api.patch(id, stage, changes, guard));
    },
    releases: async (app) => {
      const { id, stage } = await find(app);
      const at = since.get(stageName(id, stage))?.at ?? now();
      const description = 'Set HALCYON_AWS_ACCESS_KEY_ID config vars';
      return [{ id: stageName(id, stage), version: 0, status: 'succeeded', description, createdAt: at, updatedAt: at }];
    },
    builds: async (app) => {
      const { id, stage } = await find(app);
      return api.runs(id, stage);
    },
    dynos: async () => [],
  };
  return new Proxy(heroku, {
    get(target, method) {
      const plain = Reflect.get(target, method) as unknown;
      if (method === 'appsById') return (ids: readonly string[]) => heroku.appsById(ids.filter((id) => parseStage(id) === undefined));
      if (!Object.hasOwn(stages, method)) return plain;
      const staged = stages[method as keyof typeof stages] as (...all: unknown[]) => unknown;
      return (app: string, ...rest: unknown[]) => (parseStage(app) === undefined ? (plain as typeof staged) : staged)(app, ...rest);
    },
  });
}
