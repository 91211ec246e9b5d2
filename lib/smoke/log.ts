import { stripVTControlCharacters } from 'node:util';

/** One storage request as a build or a dyno logged it. */
export interface StorageLine {
  readonly action: 'Downloading' | 'Uploading' | 'Listing' | 'Deleting';
  /** `s3://bucket/key` or a public URL. */
  readonly url: string;
  /** `done`, `404 (not found)`, `403 (forbidden)`, …; empty where the log breaks off. */
  readonly outcome: string;
}

/** What a build log of Haskell on Heroku says. */
export interface BuildLog {
  readonly lines: readonly string[];
  /** HALCYON_* config vars as it prints them, the secret ones as `(secret)`. */
  readonly configVars: Readonly<Record<string, string>>;
  /** `External storage:`; undefined where the build did not get that far. */
  readonly storage?: (typeof STORAGES)[number];
  /** First 7 digits. */
  readonly sourceHash?: string;
  readonly requests: readonly StorageLine[];
  /** The install archive that was downloaded, or asked for in vain; one of a private bucket before a public one. */
  readonly install?: StorageLine;
  /** Nothing to run was released: dependencies are missing. */
  readonly buildpackOnly: boolean;
  /** NAME-VERSION of what was deployed. */
  readonly deployed?: string;
  /** NAME-VERSION of what `build` made on a one-off dyno. */
  readonly built?: string;
  readonly errors: readonly string[];
}

const STORAGES = ['private', 'public', 'private and public', 'none'] as const;
/** What `git push` and `heroku logs` put before each line. */
const PASTED = /^(?:remote: ?|\d{4}-\d\d-\d\dT\S+ \w+\[[\w.-]+\]: ?)/;

/** Read a build log. Pure; tolerant of what it does not know. */
export function parseBuildLog(text: string): BuildLog {
  const lines = stripVTControlCharacters(text)
    .split(/\r?\n/)
    .map((line) => line.replace(PASTED, '').trimEnd());
  const label = (name: string): string | undefined =>
    lines
      .map((line) => line.match(/^(?:----->|remote:)?\s*(.+?):\s+(\S.*)$/))
      .filter((match) => match?.[1] === name)
      .at(-1)?.[2];
  const marked = (kind: string) => lines.flatMap((line) => line.match(new RegExp(`\\*\\*\\* ${kind}: +(.*)$`))?.[1] ?? []);
  const errors = marked('ERROR');
  const requests = storageLines(lines);
  const storage = label('External storage');
  const installs = requests.filter(({ action, url }) => action === 'Downloading' && url.includes('/halcyon-install-')).reverse();
  return {
    lines,
    configVars: Object.fromEntries([...lines.join('\n').matchAll(/^ +(HALCYON_\w+): +(\S.*)$/gm)].map(([, name, value]) => [name, value])),
    storage: STORAGES.find((known) => known === storage),
    sourceHash: label('Source hash'),
    requests,
    install: installs.find(({ url }) => url.startsWith('s3://')) ?? installs[0],
    buildpackOnly: errors.includes('Deploying buildpack only'),
    deployed: label('App deployed'),
    built: label('App built'),
    errors,
  };
}

/** Storage requests in a log, each with the outcome of its last try. */
export function storageLines(lines: readonly string[]): StorageLine[] {
  const found: Array<{ -readonly [K in keyof StorageLine]: StorageLine[K] }> = [];
  for (const line of lines) {
    const request = line.match(/(Downloading|Uploading|Listing|Deleting) (s3:\/\/\S+?|https?:\/\/\S+?)\.\.\. ?(.*)$/);
    if (request) found.push({ action: request[1] as StorageLine['action'], url: request[2] ?? '', outcome: request[3] ?? '' });
    // The outcome of another try stands behind its pause.
    const retry = line.match(/Retrying in \d+ seconds \(\d+\/\d+\)\.\.\. ?(.*)$/);
    const last = found.at(-1);
    if (retry && last) last.outcome = retry[1] ?? '';
  }
  return found;
}
