import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdir, readFile, rm, symlink, unlink, writeFile } from 'node:fs/promises';
import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchDirectory } from '../../scratch.js';

const here = dirname(fileURLToPath(import.meta.url));
const SYSTEM_CA_BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem'];

/** A place for one build or one dyno: `app` becomes its /app and `tmp` its /tmp where the machine allows it. */
export interface Room {
  readonly dir: string;
  readonly app: string;
  readonly tmp: string;
  /** Path as seen by a process in the room; paths outside the room are left alone. */
  inside(path: string): string;
}

export interface RunOptions {
  readonly room: Room;
  readonly command: readonly string[];
  /** The whole environment: nothing of this process's own is added. */
  readonly env: Readonly<Record<string, string>>;
  /** As seen from inside. */
  readonly cwd: string;
  /** Directories shown at the same place inside, or elsewhere. */
  readonly binds?: ReadonlyArray<readonly [source: string, target: string]>;
  readonly stack: string;
  readonly stdin?: 'pipe' | 'ignore';
}

/** Where processes run: each in a room of its own, if user namespaces are to be had; else beside each other, and builds take turns. */
export class Machine {
  private readonly reaper: ChildProcess;
  private readonly running = new Map<number, Promise<void>>();
  private turn: Promise<unknown> = Promise.resolve();
  private rooms = 0;
  private closed = false;

  private constructor(
    readonly dir: string,
    readonly isolated: boolean,
    private readonly caBundle: string | undefined,
    private readonly readable: readonly string[],
  ) {
    this.reaper = spawn('bash', [join(here, 'reaper.sh'), dir], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    this.reaper.stdin?.on('error', () => {});
    this.reaper.unref();
    (this.reaper.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  }

  /**
   * @param options.caFile - PEM file that processes trust beside the system's own authorities.
   * @param options.readable - directories below /tmp or /app that processes may read in spite of their own /tmp and /app.
   * @param options.isolate - default: whether the machine allows it.
   */
  static async open(options: { caFile?: string; readable?: readonly string[]; isolate?: boolean }): Promise<Machine> {
    const dir = realpathSync(await scratchDirectory('heroku'));
    const isolated = options.isolate !== false && (await canIsolate(dir));
    let caBundle: string | undefined;
    if (options.caFile !== undefined) {
      // Where the system's authorities can be looked up one by one, a curl need not read all of them, which takes it longer than its request.
      const system = hasHashedAuthorities() ? undefined : SYSTEM_CA_BUNDLES.find((path) => existsSync(path));
      caBundle = join(dir, 'ca-bundle.pem');
      await writeFile(caBundle, `${system === undefined ? '' : await readFile(system, 'utf8')}\n${await readFile(options.caFile, 'utf8')}`);
    }
    return new Machine(dir, isolated, caBundle, options.readable ?? []);
  }

  async room(): Promise<Room> {
    const dir = join(this.dir, `room-${(this.rooms += 1)}`);
    const app = join(dir, 'app');
    const tmp = join(dir, 'tmp');
    await mkdir(join(dir, 'root'), { recursive: true });
    await mkdir(app);
    await mkdir(tmp, { mode: 0o1777 });
    await mkdir(join(dir, 'var-tmp'));
    const isolated = this.isolated;
    const inside = (path: string): string => (isolated && path.startsWith(`${dir}/`) ? path.slice(dir.length) : path);
    return { dir, app, tmp, inside };
  }

  async removeRoom(room: Room): Promise<void> {
    await rm(room.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  /** Run `work` alone where processes share /app and /tmp; the argument says whether the room's /app is there as /app. */
  async inTurn<T>(room: Room, work: (hasApp: boolean) => Promise<T>): Promise<T> {
    if (this.isolated) return work(true);
    const mine = this.turn.then(async () => {
      const linked = await symlink(room.app, '/app').then(
        () => true,
        () => false,
      );
      try {
        return await work(linked);
      } finally {
        if (linked) await unlink('/app').catch(() => {});
      }
    });
    this.turn = mine.catch(() => {});
    return mine;
  }

  /** Start a process in a group of its own, which dies with this process whatever happens. */
  start(options: RunOptions): ChildProcess {
    if (this.closed) throw new Error('the sandbox is stopping');
    const child = this.isolated ? this.startIsolated(options) : this.startPlain(options);
    const { pid } = child;
    if (pid !== undefined) {
      this.reaper.stdin?.write(`+ ${pid}\n`);
      this.running.set(
        pid,
        new Promise((resolve) => {
          child.once('exit', () => {
            // What a command left behind in its group goes with it, as it would with a dyno.
            signal(pid, 'SIGKILL');
            this.running.delete(pid);
            this.reaper.stdin?.write(`- ${pid}\n`);
            resolve();
          });
        }),
      );
    }
    return child;
  }

  /** Signal a process and all it started. */
  kill(child: ChildProcess, name: 'SIGTERM' | 'SIGKILL'): void {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) signal(child.pid, name);
  }

  async close(): Promise<void> {
    this.closed = true;
    const ending = [...this.running.values()];
    for (const pid of this.running.keys()) signal(pid, 'SIGKILL');
    await Promise.all(ending);
    const gone = new Promise((resolve) => this.reaper.once('exit', resolve));
    this.reaper.ref();
    this.reaper.stdin?.end();
    if (this.reaper.exitCode === null) await gone;
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  private startIsolated(options: RunOptions): ChildProcess {
    const { room } = options;
    const binds: Array<readonly [string, string]> = this.readable.map((path) => [path, path] as const);
    binds.push([osReleaseFile(options.stack), '/etc/os-release']);
    if (this.caBundle !== undefined) {
      const caBundle = this.caBundle;
      binds.push(...SYSTEM_CA_BUNDLES.filter((path) => existsSync(path)).map((path) => [caBundle, path] as const));
    }
    binds.push(...(options.binds ?? []));
    const enter = [join(here, 'enter.sh'), room.dir, options.cwd, ...binds.filter(([source]) => existsSync(source)).flat()];
    return spawn('/usr/bin/env', ['unshare', '-Urmpf', '--kill-child=KILL', '/bin/bash', ...enter, '--', ...options.command], {
      env: { ...options.env },
      cwd: '/',
      detached: true,
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
  }

  private startPlain(options: RunOptions): ChildProcess {
    const [file, ...args] = options.command;
    const trust =
      this.caBundle === undefined ? {} : { CURL_CA_BUNDLE: this.caBundle, SSL_CERT_FILE: this.caBundle, GIT_SSL_CAINFO: this.caBundle };
    return spawn(file as string, args, {
      env: { ...trust, ...options.env },
      cwd: options.cwd,
      detached: true,
      stdio: [options.stdin ?? 'ignore', 'pipe', 'pipe'],
    });
  }
}

/** What OpenSSL looks authorities up in by name, as `c_rehash` makes it, and Debian's curl and git are told of. */
const hasHashedAuthorities = (): boolean =>
  existsSync('/etc/ssl/certs') && readdirSync('/etc/ssl/certs').some((name) => /^[\da-f]{8}\.0$/.test(name));

/** What /etc/os-release says in a room: Ubuntu's version is the stack's number, as on Heroku. */
const osReleaseFile = (stack: string): string => join(here, 'os-release', stack);

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    // Gone already.
  }
}

async function canIsolate(dir: string): Promise<boolean> {
  if (process.platform !== 'linux') return false;
  const room = join(dir, 'probe');
  for (const part of ['root', 'app', 'tmp', 'var-tmp']) await mkdir(join(room, part), { recursive: true });
  const probe = spawnSync(
    'unshare',
    ['-Urmpf', '--kill-child=KILL', '/bin/bash', join(here, 'enter.sh'), room, '/app', '--', '/bin/true'],
    {
      stdio: 'ignore',
      timeout: 10_000,
    },
  );
  await rm(room, { recursive: true, force: true });
  return probe.status === 0;
}
