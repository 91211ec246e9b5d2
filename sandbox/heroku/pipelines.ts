import { randomUUID } from 'node:crypto';
import { invalid, notFound } from './api-error.js';
import { type App, now } from './model.js';
import type { Platform } from './platform.js';

/** Stages that an app may be in; the first two have config vars of their own. */
export const PIPELINE_STAGES = ['test', 'review', 'development', 'staging', 'production'];
const WITH_VARS = PIPELINE_STAGES.slice(0, 2);

export interface Coupling {
  readonly id: string;
  readonly app: string;
  readonly stage: string;
  readonly at: string;
}
/** A review app that is being made or was, or a test run. */
export interface Run {
  readonly id: string;
  readonly number: number;
  status: string;
  app?: string;
  readonly createdAt: string;
  updatedAt: string;
}
export interface Pipeline {
  readonly id: string;
  readonly name: string;
  readonly at: string;
  readonly couplings: Coupling[];
  readonly vars: Map<string, Record<string, string>>;
  readonly runs: Map<string, Run[]>;
}

/** What is made with a stage's config vars, as long as its caller carries it on. */
export interface HeldRun {
  /** What it began with: later changes of the stage do not reach it. */
  readonly configVars: Readonly<Record<string, string>>;
  /** A test run has ended; a review app is there, in the pipeline, by the name that was given. */
  end(): Promise<void>;
}

/** Pipelines, the apps in them, and what their review apps and test runs get. */
export class Pipelines {
  readonly all: Pipeline[] = [];

  constructor(private readonly platform: Platform) {}

  create(name: string): Pipeline {
    const made: Pipeline = { id: randomUUID(), name, at: now(), couplings: [], vars: new Map(), runs: new Map() };
    this.all.push(made);
    return made;
  }

  find(identity: string | undefined): Pipeline {
    const found = this.all.find(({ id, name }) => id === identity || name === identity);
    if (found === undefined) throw notFound('pipeline');
    return found;
  }

  couple(pipeline: Pipeline, app: App, stage: string): Coupling {
    const made: Coupling = { id: randomUUID(), app: app.id, stage, at: now() };
    pipeline.couplings.push(made);
    return made;
  }

  /** Those of apps that are there. */
  couplings({ couplings }: Pipeline): Coupling[] {
    return couplings.filter(({ app }) => this.platform.apps.some(({ id }) => id === app));
  }

  vars(pipeline: Pipeline, stage: string): Record<string, string> {
    if (!WITH_VARS.includes(stage)) throw invalid(`stage must be one of ${WITH_VARS.join(', ')}.`);
    return pipeline.vars.get(stage) ?? {};
  }

  patch(pipeline: Pipeline, stage: string, changes: Record<string, unknown>): Record<string, string> {
    const vars = { ...this.vars(pipeline, stage) };
    for (const [name, value] of Object.entries(changes)) {
      if (!/^\w+$/.test(name) || (value !== null && typeof value !== 'string')) throw invalid(`Invalid config var: ${name}`);
      if (value === null) delete vars[name];
      else vars[name] = value;
    }
    pipeline.vars.set(stage, vars);
    return vars;
  }

  runs({ runs }: Pipeline, stage: string): Run[] {
    return runs.get(stage) ?? [];
  }

  /** @param app - name of the review app; none is made for a test run. */
  hold(identity: string, stage: 'review' | 'test', app?: string): HeldRun {
    const pipeline = this.find(identity);
    const runs = this.runs(pipeline, stage);
    const at = now();
    const run: Run = { id: randomUUID(), number: runs.length + 1, status: 'creating', createdAt: at, updatedAt: at };
    pipeline.runs.set(stage, [...runs, run]);
    const configVars = { ...this.vars(pipeline, stage) };
    const end = async (): Promise<void> => {
      if (stage === 'review') {
        const made = await this.platform.createApp({ name: app });
        if (Object.keys(configVars).length > 0) this.platform.patchConfigVars(made, configVars);
        this.couple(pipeline, made, stage);
        run.app = made.id;
      }
      run.status = stage === 'review' ? 'created' : 'succeeded';
      run.updatedAt = now();
    };
    return { configVars, end };
  }
}
