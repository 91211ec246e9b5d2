import { randomBytes, randomInt } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { partitionOf } from '../../lib/config/regions.js';
import { scratchDirectory } from '../scratch.js';
import { Faults, type Fault } from './front/faults.js';
import { FrontServer } from './front/front.js';
import { Knowledge } from './front/knowledge.js';
import { RequestLog, type LogEntry } from './front/log.js';
import type { Front } from './front/rule.js';
import { Upstream, type RootKey } from './front/upstream.js';
import { makeCertificates } from './ministack/certificates.js';
import { startMiniStack } from './ministack/process.js';
import { ministackPython } from './ministack/venv.js';
import { RULES } from './rules/index.js';
import { makeSettings, type Settings, type SettingsInput } from './settings.js';

export type { Fault } from './front/faults.js';
export type { LogEntry } from './front/log.js';
export type { Settings } from './settings.js';

export interface LocalAwsOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Twelve digits. Default 111122223333. */
  readonly account?: string;
  /** Region of clients that name none, and so the partition that the account is in. Default us-east-1. */
  readonly region?: string;
  /** Append every request here, a JSON line each. */
  readonly logFile?: string;
  readonly settings?: SettingsInput;
  /** MiniStack as installed, without what is added inside it (`ministack/additions`): for tests that show what that adds. Default false. */
  readonly bare?: boolean;
  /** Where MiniStack is installed. Default `.cache/sandbox` in the project. */
  readonly cacheDir?: string;
  readonly onProgress?: (text: string) => void;
}

/** A running local AWS: one account, all regions, all services that MiniStack has. State is in memory and ends with it. */
export interface LocalAws {
  /** `https://localhost:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly account: string;
  readonly region: string;
  /** The sandbox's certificate authority, PEM. */
  readonly caFile: string;
  /** What aims any AWS client here, with the account's root key. */
  readonly env: Record<string, string>;
  /** MiniStack without the front, for tests that show what the front adds. */
  readonly upstreamUrl: string;
  /** Process id of MiniStack. */
  readonly pid: number;
  log(): LogEntry[];
  clearLog(): void;
  addFault(fault: Fault): void;
  clearFaults(): void;
  /** Takes effect on the next request. */
  readonly settings: Settings;
  stop(): Promise<void>;
}

/**
 * Start MiniStack behind the front, on loopback and TLS. Installs MiniStack on first use.
 *
 * @throws KitError `python-missing`, `python-venv-missing`, `ministack-install-failed`, `ministack-failed`.
 */
export async function startLocalAws(options: LocalAwsOptions = {}): Promise<LocalAws> {
  const account = options.account ?? '111122223333';
  const region = options.region ?? 'us-east-1';
  const python = await ministackPython({ cacheDir: options.cacheDir, onProgress: options.onProgress });
  const directory = await scratchDirectory('aws');
  const undo: Array<() => Promise<void>> = [() => rm(directory, { recursive: true, force: true, maxRetries: 3 })];
  const stop = async (): Promise<void> => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const certificates = await makeCertificates(directory);
    const rootKey = makeRootKey();
    const upstream = new Upstream(certificates.ca, rootKey);
    undo.push(async () => upstream.agent.destroy());
    const settings = makeSettings(options.settings);
    const front: Front = {
      account,
      partition: partitionOf(region),
      settings,
      upstream,
      knowledge: new Knowledge(upstream, account, region, rootKey.accessKeyId),
      now: () => Date.now() + settings.clockOffsetMs,
    };
    const log = new RequestLog(options.logFile);
    undo.push(() => log.close());
    const faults = new Faults();
    const server = new FrontServer({ certificates, front, rules: RULES, log, faults });
    const port = await server.listen(options.port ?? 0);
    undo.push(() => server.close());
    const url = `https://localhost:${port}`;
    const ministack = await startMiniStack({
      python,
      account,
      region,
      rootKey,
      certificates,
      directory,
      endpointUrl: url,
      agent: upstream.agent,
      bare: options.bare,
    });
    undo.push(() => ministack.stop());
    upstream.port = ministack.port;
    return {
      url,
      port,
      account,
      region,
      caFile: certificates.caFile,
      env: clientEnvironment(url, region, rootKey, certificates.caFile, certificates.bundleFile),
      upstreamUrl: `https://localhost:${ministack.port}`,
      pid: ministack.pid,
      log: () => log.entries(),
      clearLog: () => log.clear(),
      addFault: (fault) => faults.add(fault),
      clearFaults: () => faults.clear(),
      settings,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function clientEnvironment(url: string, region: string, key: RootKey, caFile: string, bundleFile: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: url,
    AWS_CA_BUNDLE: bundleFile,
    NODE_EXTRA_CA_CERTS: caFile,
    CURL_CA_BUNDLE: bundleFile,
    AWS_ACCESS_KEY_ID: key.accessKeyId,
    AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
  };
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

const makeRootKey = (): RootKey => ({
  accessKeyId: `AKIA${Array.from({ length: 16 }, () => BASE32[randomInt(32)]).join('')}`,
  secretAccessKey: randomBytes(30).toString('base64'),
});
