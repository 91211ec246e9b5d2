import { randomUUID } from 'node:crypto';
import { createServer, connect, type AddressInfo } from 'node:net';
import { mkdir } from 'node:fs/promises';
import * as tar from 'tar';
import { lineSplitter } from './logs.js';
import type { Machine } from './machine/machine.js';
import { type App, type Dyno, type Release, now } from './model.js';
import type { Route } from './router.js';
import type { Attachment } from './rendezvous.js';
import type { Settings } from './settings.js';

/** Sources the profile scripts of the slug, then runs the command it is given, as Heroku's own start script does. */
const START = 'cd "$HOME"; for f in .profile.d/*.sh; do [ -f "$f" ] && . "./$f"; done; unset f; [ -f .profile ] && . ./.profile; eval "$1"';

export interface StartOptions {
  readonly type: string;
  readonly name: string;
  readonly command: string;
  readonly size: string;
  readonly release: Release;
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly timeToLive?: number;
  /** The client that the process waits for: it takes the output in place of the log, and feeds the process. */
  readonly attach?: Promise<Attachment>;
  /** Told of the output beside the log. */
  readonly onOutput?: (chunk: Buffer) => void;
}

/** Runs dynos: unpacks the slug, sets the environment, starts the process, watches it. */
export class DynoManager {
  constructor(
    private readonly machine: Machine,
    private readonly settings: Settings,
    private readonly environment: () => Record<string, string>,
  ) {}

  async start(app: App, options: StartOptions): Promise<Dyno> {
    const port = options.type === 'web' ? await freePort() : undefined;
    const dyno: Dyno = {
      id: randomUUID(),
      name: options.name,
      type: options.type,
      command: options.command,
      size: options.size,
      state: 'starting',
      release: options.release,
      createdAt: now(),
      updatedAt: now(),
      attachUrl: undefined,
      port,
      process: undefined,
      exited: Promise.resolve(0),
    };
    app.dynos.push(dyno);
    dyno.exited = this.run(app, dyno, options).catch((error: Error) => {
      app.log.add('heroku', dyno.name, `The sandbox could not run this dyno: ${error.message}`);
      return 1;
    });
    return dyno;
  }

  /** SIGTERM, then SIGKILL; settles when the process is gone. */
  async stop(app: App, dyno: Dyno): Promise<void> {
    if (dyno.state === 'crashed') forget(app, dyno);
    if (dyno.state === 'complete' || dyno.state === 'down' || dyno.state === 'crashed') return;
    this.setState(dyno, 'down');
    app.log.add('heroku', dyno.name, 'Stopping all processes with SIGTERM');
    await this.terminate(app, dyno);
  }

  /** Where the router sends a request: the newest web dyno that listens. */
  async route(app: App): Promise<Route> {
    if (app.maintenance) return { code: 'H80', description: 'Maintenance mode' };
    const deadline = Date.now() + this.settings.bootTimeoutMs;
    for (;;) {
      const web = app.dynos.filter((dyno) => dyno.type === 'web');
      const up = web.findLast((dyno) => dyno.state === 'up');
      if (up?.port !== undefined) return { port: up.port };
      if (!web.some((dyno) => dyno.state === 'starting')) {
        return web.some((dyno) => dyno.state === 'crashed')
          ? { code: 'H10', description: 'App crashed' }
          : { code: 'H14', description: 'No web processes running' };
      }
      if (Date.now() > deadline) return { code: 'H20', description: 'App boot timeout' };
      await pause(20);
    }
  }

  private async run(app: App, dyno: Dyno, options: StartOptions): Promise<number> {
    const { machine } = this;
    const room = await machine.room();
    const log = (text: string): void => app.log.add('heroku', dyno.name, text);
    const slug = options.release.slug === undefined ? undefined : app.slugs.get(options.release.slug);
    let timer: NodeJS.Timeout | undefined;
    try {
      if (slug !== undefined) await tar.x({ file: slug.file, cwd: room.app, preserveOwner: false });
      await mkdir(room.tmp, { recursive: true });
      const attachment = options.attach === undefined ? undefined : await within(ATTACH_TIMEOUT_MS, options.attach);
      if (options.attach !== undefined && attachment === undefined) {
        log('Error R13 (Attach error) -> Failed to attach to process');
        return 128;
      }
      if ((dyno.state as string) === 'down') return 143;
      log(`Starting process with command \`${options.command}\``);
      const home = room.inside(room.app);
      const child = machine.start({
        room,
        stack: app.stack,
        cwd: home,
        command: ['/bin/bash', '-c', START, 'bash', options.command],
        stdin: attachment === undefined ? 'ignore' : 'pipe',
        env: {
          PATH: '/usr/local/bin:/usr/bin:/bin',
          LANG: 'C.UTF-8',
          ...this.environment(),
          ...options.release.configVars,
          ...options.env,
          HOME: home,
          DYNO: dyno.name,
          PORT: String(dyno.port ?? 5000),
        },
      });
      dyno.process = child;
      const ended = new Promise<number>((resolve) => {
        child.once('error', () => resolve(127));
        child.once('close', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
      });
      for (const stream of [child.stdout, child.stderr]) {
        const splitter = lineSplitter((line) => app.log.add('app', dyno.name, line));
        stream?.on('data', (chunk: Buffer) => {
          options.onOutput?.(chunk);
          if (attachment === undefined) splitter.write(chunk);
        });
        stream?.on('end', () => splitter.end());
      }
      attachment?.(child);
      if (options.timeToLive !== undefined) {
        timer = setTimeout(() => {
          log('Time to live exceeded, stopping process');
          void this.terminate(app, dyno);
        }, options.timeToLive * 1000);
      }
      if (dyno.port === undefined) this.becomeUp(app, dyno);
      else void this.watchPort(app, dyno);
      const status = await ended;
      log(`Process exited with status ${status}`);
      return status;
    } finally {
      clearTimeout(timer);
      this.finish(app, dyno);
      await machine.removeRoom(room);
    }
  }

  private finish(app: App, dyno: Dyno): void {
    const before = dyno.state;
    const oneOff = !app.formation.has(dyno.type) || dyno.type === 'release';
    const after = before === 'down' ? 'down' : oneOff ? 'complete' : 'crashed';
    if (before !== after) app.log.add('heroku', dyno.name, `State changed from ${before} to ${after}`);
    this.setState(dyno, after);
    if (after !== 'crashed') forget(app, dyno);
  }

  private async terminate(app: App, dyno: Dyno): Promise<void> {
    const child = dyno.process;
    // Not started yet: it will see that it is not wanted any more.
    if (child === undefined) return;
    this.machine.kill(child, 'SIGTERM');
    const timer = setTimeout(() => {
      app.log.add(
        'heroku',
        dyno.name,
        'Error R12 (Exit timeout) -> At least one process failed to exit within the grace period of SIGTERM',
      );
      this.machine.kill(child, 'SIGKILL');
    }, this.settings.killGraceMs);
    await dyno.exited;
    clearTimeout(timer);
  }

  private async watchPort(app: App, dyno: Dyno): Promise<void> {
    const deadline = Date.now() + this.settings.bootTimeoutMs;
    while (dyno.state === 'starting') {
      if (await listens(dyno.port as number)) return this.becomeUp(app, dyno);
      if (Date.now() > deadline) {
        app.log.add('heroku', dyno.name, 'Error R10 (Boot timeout) -> Web process failed to bind to $PORT in time');
        if (dyno.process) this.machine.kill(dyno.process, 'SIGKILL');
        return;
      }
      await pause(25);
    }
  }

  private becomeUp(app: App, dyno: Dyno): void {
    if (dyno.state !== 'starting') return;
    app.log.add('heroku', dyno.name, 'State changed from starting to up');
    this.setState(dyno, 'up');
  }

  private setState(dyno: Dyno, state: Dyno['state']): void {
    dyno.state = state;
    dyno.updatedAt = now();
  }
}

function forget(app: App, dyno: Dyno): void {
  const index = app.dynos.indexOf(dyno);
  if (index >= 0) app.dynos.splice(index, 1);
}

const ATTACH_TIMEOUT_MS = 60_000;

function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve(undefined), ms);
    timer.unref();
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
