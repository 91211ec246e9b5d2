import { randomUUID } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import type { KitConfig, Team } from '../config/model.js';
import type { KeyPair } from '../contract/index.js';
import { isKitError, KitError } from '../errors.js';
import type { Dyno, Heroku } from '../heroku/heroku.js';
import { pause } from '../heroku/pause.js';
import { halcyonRequest, storeOf, type HalcyonRequest } from '../storage/halcyon-requests.js';
import { classifyRefusal, type Refusal } from '../storage/refusals.js';
import type { Run } from './context.js';
import { storageLines } from './log.js';
import { configVarProof, type ExpectedConfigVars } from './proofs.plan.js';
import { attemptProof, attempts, type Attempt } from './requests.plan.js';
import { dynoScript, readMarks, type Marks } from './script.js';

/** Whose requests they are: for asking S3 why it refuses. */
interface Asker {
  readonly config: KitConfig;
  readonly team: Team;
  readonly key?: KeyPair;
}

/** What a one-off dyno sees of our config vars, and what Halcyon's requests come to there. */
export async function proveRequests(
  run: Run,
  app: string,
  { release, expected, ...asker }: Asker & { readonly release?: number; readonly expected: ExpectedConfigVars },
): Promise<void> {
  const { seen } = run;
  run.say("trying Halcyon's requests on a one-off dyno");
  const list = run.store ? attempts(run.store.scope) : [];
  const dyno = await runFor(run, app, dynoScript(run.name, expected, list), { timeToLive: 600, release });
  seen.dynoStatus = dyno.status;
  seen.attempts.push(...list.map((attempt, number) => ({ attempt, outcome: dyno.outcomes.get(number) })));
  seen.refusals.push(...(await diagnose(run, asker)));
  seen.proofs.push(configVarProof('dyno', dyno.seen), ...seen.attempts.map(({ attempt, outcome }) => attemptProof(attempt, outcome)));
}

/**
 * Where a key failed at what it should do: ask S3 the same from here, with the same key, where its answer can be read whole. A dyno
 * shows no more than a status. @returns the reasons, each once; empty where nothing failed, or where it works from here.
 */
async function diagnose({ name, network, signal, seen }: Run, { config, team, key }: Asker): Promise<Refusal[]> {
  const failed = seen.attempts.filter(({ attempt, outcome }) => attempt.expected === 'allowed' && !attemptProof(attempt, outcome).ok);
  if (failed.length === 0 || key === undefined || team.bucket === undefined) return [];
  const store = storeOf(config, team.bucket, key);
  const upload: HalcyonRequest = { operation: 'upload', key: `${name}/diagnosis`, body: Buffer.from(name) };
  const deletion: HalcyonRequest = { operation: 'delete', key: `${name}/kept` };
  const requests: Record<Attempt['operation'], HalcyonRequest> = {
    get: { operation: 'download', key: `${name}/present` },
    list: { operation: 'list', prefix: `${name}/` },
    put: upload,
    archive: upload,
    delete: deletion,
    clean: deletion,
  };
  const refusals = new Map<string, Refusal>();
  for (const request of new Set(failed.map(({ attempt }) => requests[attempt.operation]))) {
    const answer = await halcyonRequest(store, request, { network, signal });
    const refusal = classifyRefusal(answer, { ...store, keyId: key.accessKeyId, team: team.name });
    if (refusal && !refusals.has(refusal.kind)) refusals.set(refusal.kind, refusal);
  }
  return [...refusals.values()];
}

export interface DynoRun extends Marks {
  /** What it printed, without Heroku's prefixes. */
  readonly lines: readonly string[];
}

export interface DynoOptions {
  readonly mark: string;
  /** Seconds; Heroku ends the dyno then. */
  readonly timeToLive: number;
  readonly size?: string;
  /** The dyno must run this release or a later one. */
  readonly release?: number;
  readonly say?: (line: string) => void;
  /** Hours of work, which no silence of Heroku's ends: its log is taken up again until its time is over. Default false. */
  readonly long?: boolean;
  readonly signal?: AbortSignal;
}

/** A script of a smoke deploy's; what it uploads of the run's own package is noted. */
export async function runFor(
  run: Run,
  app: string,
  script: string,
  options: Omit<DynoOptions, 'mark' | 'say' | 'signal'>,
): Promise<DynoRun> {
  const dyno = await runScript(run.heroku, app, script, { ...options, mark: run.name, signal: run.signal, say: run.trace });
  run.made.uploads(storageLines(dyno.lines), run.storage.bucket);
  run.seen.dynoLines.push(...dyno.lines);
  return dyno;
}

/**
 * Run a bash script on a one-off dyno, detached, and read its output from a log session: attached dynos need a port that is often
 * blocked. The script comes in the environment, so that neither source nor slug has to carry it.
 */
export async function runScript(heroku: Heroku, app: string, script: string, options: DynoOptions): Promise<DynoRun> {
  const { mark, signal } = options;
  const dyno = await startDyno(heroku, app, script, options);
  const deadline = Date.now() + options.timeToLive * 1000;
  const transcript = new Transcript();
  let failures = 0;
  /** What a look came to; undefined where Heroku did not answer and it is made again. */
  const look = async <T>(work: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (options.long !== true || !isKitError(error, 'heroku-unavailable', 'heroku-rate-limited') || Date.now() > deadline) throw error;
      options.say?.(`${error.message}; looking again`);
      await pause(Math.min(2000 * 2 ** failures++, 60_000), signal);
      return undefined;
    }
  };
  try {
    for (let goneAt = 0; ;) {
      const silenceMs = options.long && goneAt === 0 ? SILENCE_MS.long : SILENCE_MS.short;
      await look(() => readLog(heroku, app, dyno.name, transcript, { ...options, silenceMs }));
      const { lines } = transcript;
      const marks = readMarks(lines.join('\n'), mark);
      const dynos = await look(() => heroku.dynos(app));
      const gone = dynos !== undefined && !dynos.some(({ name }) => name === dyno.name);
      // Its last lines may come after its end.
      if (gone && goneAt === 0) goneAt = Date.now();
      if (marks.status !== undefined || Date.now() > deadline || (gone && Date.now() - goneAt > 10_000)) return { lines, ...marks };
      await pause(1000, signal);
    }
  } finally {
    await heroku.stopDyno(app, dyno.name).catch(() => undefined);
  }
}

async function startDyno(heroku: Heroku, app: string, script: string, options: DynoOptions): Promise<Dyno> {
  for (let attempt = 1; ; attempt++) {
    const dyno = await heroku.runDyno(app, {
      // Unlike any other, which is how a dyno is found whose answer was lost.
      command: `bash -c 'eval "$HALCYON_SMOKE_SCRIPT"' ${options.mark}-${randomUUID()}`,
      timeToLive: options.timeToLive,
      env: { HALCYON_SMOKE_SCRIPT: script },
      ...(options.size ? { size: options.size } : {}),
    });
    if (options.release === undefined || dyno.releaseVersion >= options.release) return dyno;
    await heroku.stopDyno(app, dyno.name);
    if (attempt >= 5) {
      throw new KitError(
        'dyno-stale',
        `dynos of ${app} start on release v${dyno.releaseVersion} instead of v${options.release}; run again`,
      );
    }
    await pause(1000 * attempt, options.signal);
  }
}

/** What a dyno printed, from one log session after another: each begins with the last 1,500 lines once more. @internal */
export class Transcript {
  /** Without Heroku's prefixes, colours and empty lines. */
  readonly lines: string[] = [];
  readonly #heard = new Map<string, number>();

  /** One more session. @returns what takes its text as it comes, and gives back the lines that are new. */
  session(): (text: string) => string[] {
    const again = new Map<string, number>();
    let rest = '';
    return (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      const fresh = lines.flatMap((line) => {
        // With its time each line is itself, however often it is told.
        const times = (again.get(line) ?? 0) + 1;
        again.set(line, times);
        if (times <= (this.#heard.get(line) ?? 0)) return [];
        this.#heard.set(line, times);
        const said = stripVTControlCharacters(line)
          .replace(/^\S+ \S+\[[^\]]+\]: ?/, '')
          .trimEnd();
        return said === '' ? [] : [said];
      });
      this.lines.push(...fresh);
      return fresh;
    };
  }
}

/** Silence after which a log session is left: the dyno may have ended. Asking is what costs requests of an hour's 4,500. */
const SILENCE_MS = { short: 5_000, long: 60_000 };

/** The dyno's log until the script's end shows, the dyno's output ends, or some time passes in silence. */
async function readLog(
  heroku: Heroku,
  app: string,
  dyno: string,
  transcript: Transcript,
  options: DynoOptions & { readonly silenceMs: number },
): Promise<void> {
  const url = await heroku.logSession(app, { dyno, lines: 1500, tail: true });
  const enough = new AbortController();
  const silence = () => setTimeout(() => enough.abort(), options.silenceMs);
  let timer = silence();
  const take = transcript.session();
  const hear = (chunk: string) => {
    clearTimeout(timer);
    timer = silence();
    const fresh = take(chunk);
    if (fresh.length > 0) options.say?.((fresh.at(-1) ?? '').trim());
    const ended = readMarks(fresh.join('\n'), options.mark).status !== undefined;
    if (ended || fresh.some((line) => line.startsWith('Process exited with status'))) enough.abort();
  };
  try {
    await heroku.followStream(url, hear, options.signal ? AbortSignal.any([options.signal, enough.signal]) : enough.signal);
  } catch (error) {
    if (!enough.signal.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  options.signal?.throwIfAborted();
}
