import type { Context, Hono } from 'hono';
import { type Env, type Services, body, list, optionalString } from '../context.js';
import { invalid } from '../api-error.js';
import { type Coupling, type Pipeline, PIPELINE_STAGES, type Run } from '../pipelines.js';
import { ACCOUNT } from '../platform.js';
import { stableId } from '../represent.js';

/** Pipelines, which apps are in them, and what their review apps and test runs get. */
export function pipelineRoutes(api: Hono<Env>, { platform, pipelines, settings }: Services): void {
  const pipelineJson = ({ id, name, at }: Pipeline) => ({
    ...{ id, name, created_at: at, updated_at: at },
    owner: { id: ACCOUNT.id, type: 'user' },
  });
  const couplingJson = (pipeline: Pipeline, { id, app, stage, at }: Coupling) => ({
    ...{ id, stage, app: { id: app }, pipeline: { id: pipeline.id }, created_at: at, updated_at: at },
  });
  const runJson = (pipeline: Pipeline, { id, status, createdAt, updatedAt }: Run) => ({
    ...{ id, status, created_at: createdAt, updated_at: updatedAt, pipeline: { id: pipeline.id }, message: null },
  });
  const found = (c: Context<Env>) => pipelines.find(c.req.param('pipeline'));

  api.post('/pipelines', async (c) => {
    const name = optionalString((await body(c)).name, 'name');
    if (name === undefined) throw invalid('name is required.');
    return c.json(pipelineJson(pipelines.create(name)), 201);
  });
  api.get('/pipelines/:pipeline', (c) => c.json(pipelineJson(found(c))));
  api.post('/pipeline-couplings', async (c) => {
    const request = await body(c);
    const pipeline = pipelines.find(optionalString(request.pipeline, 'pipeline'));
    const stage = optionalString(request.stage, 'stage') ?? '';
    if (!PIPELINE_STAGES.includes(stage)) throw invalid(`stage must be one of ${PIPELINE_STAGES.join(', ')}.`);
    const app = platform.app(optionalString(request.app, 'app') ?? '');
    return c.json(couplingJson(pipeline, pipelines.couple(pipeline, app, stage)), 201);
  });
  api.get('/pipelines/:pipeline/pipeline-couplings', (c) => {
    const pipeline = found(c);
    return list(
      c,
      settings,
      pipelines.couplings(pipeline),
      ['id'],
      ({ id }) => id,
      (one) => couplingJson(pipeline, one),
    );
  });
  api.get('/pipelines/:pipeline/stage/:stage/config-vars', (c) => c.json(pipelines.vars(found(c), c.req.param('stage'))));
  api.patch('/pipelines/:pipeline/stage/:stage/config-vars', async (c) =>
    c.json(pipelines.patch(found(c), c.req.param('stage'), await body(c))),
  );
  api.get('/pipelines/:pipeline/review-apps', (c) => {
    const pipeline = found(c);
    const review = {
      app_setup: null,
      branch: 'main',
      creator: { id: ACCOUNT.id },
      wait_for_ci: false,
      error_status: null,
      pr_number: null,
    };
    return list(
      c,
      settings,
      pipelines.runs(pipeline, 'review'),
      ['id'],
      ({ id }) => id,
      (run) => ({ ...runJson(pipeline, run), ...review, fork_repo: null, app: run.app === undefined ? null : { id: run.app } }),
    );
  });
  api.get('/pipelines/:pipeline/test-runs', (c) => {
    const pipeline = found(c);
    return list(
      c,
      settings,
      pipelines.runs(pipeline, 'test'),
      ['number'],
      ({ number }) => number,
      (run) => ({
        ...runJson(pipeline, run),
        ...{ number: run.number, actor_email: ACCOUNT.email, clear_cache: false, debug: false, app_setup: null, dyno: null },
        ...{ commit_branch: 'main', commit_message: 'a change', commit_sha: stableId(run.id).replaceAll('-', ''), organization: null },
        ...{ source_blob_url: 'https://example.com/source.tgz', user: ACCOUNT, warning_message: null },
      }),
    );
  });
}
