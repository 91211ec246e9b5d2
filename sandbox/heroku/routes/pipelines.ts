import { randomUUID } from 'node:crypto';
import type { Hono } from 'hono';
import { type Env, type Services, body, list, optionalString } from '../context.js';
import { invalid, notFound } from '../api-error.js';
import { now } from '../model.js';
import { ACCOUNT } from '../platform.js';

const STAGES = ['test', 'review', 'development', 'staging', 'production'];

interface Coupling {
  readonly id: string;
  readonly app: string;
  readonly stage: string;
  readonly at: string;
}
interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly at: string;
  readonly couplings: Coupling[];
}

/** Pipelines, and which apps are in them. */
export function pipelineRoutes(api: Hono<Env>, { platform, settings }: Services): void {
  const pipelines: Pipeline[] = [];
  const find = (identity: string | undefined): Pipeline => {
    const found = pipelines.find(({ id, name }) => id === identity || name === identity);
    if (found === undefined) throw notFound('pipeline');
    return found;
  };
  const pipelineJson = ({ id, name, at }: Pipeline) => ({
    ...{ id, name, created_at: at, updated_at: at },
    owner: { id: ACCOUNT.id, type: 'user' },
  });
  const couplingJson = (pipeline: Pipeline, { id, app, stage, at }: Coupling) => ({
    ...{ id, stage, app: { id: app }, pipeline: { id: pipeline.id }, created_at: at, updated_at: at },
  });

  api.post('/pipelines', async (c) => {
    const name = optionalString((await body(c)).name, 'name');
    if (name === undefined) throw invalid('name is required.');
    const made: Pipeline = { id: randomUUID(), name, at: now(), couplings: [] };
    pipelines.push(made);
    return c.json(pipelineJson(made), 201);
  });
  api.get('/pipelines/:pipeline', (c) => c.json(pipelineJson(find(c.req.param('pipeline')))));
  api.post('/pipeline-couplings', async (c) => {
    const request = await body(c);
    const pipeline = find(optionalString(request.pipeline, 'pipeline'));
    const stage = optionalString(request.stage, 'stage') ?? '';
    if (!STAGES.includes(stage)) throw invalid(`stage must be one of ${STAGES.join(', ')}.`);
    const made: Coupling = { id: randomUUID(), app: platform.app(optionalString(request.app, 'app') ?? '').id, stage, at: now() };
    pipeline.couplings.push(made);
    return c.json(couplingJson(pipeline, made), 201);
  });
  api.get('/pipelines/:pipeline/pipeline-couplings', (c) => {
    const pipeline = find(c.req.param('pipeline'));
    return list(
      c,
      settings,
      pipeline.couplings,
      ['id'],
      ({ id }) => id,
      (one) => couplingJson(pipeline, one),
    );
  });
}
