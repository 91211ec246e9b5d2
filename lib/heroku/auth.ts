import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KitError } from '../errors.js';
import { registerSecret } from '../io/redaction.js';
import { herokuApiUrl, isLocal } from './host.js';

/**
 * The Heroku API token: HEROKU_API_KEY, else the password of the API host's machine in ~/.netrc, else that of api.heroku.com,
 * which is never given to a server on this machine. Registered for redaction.
 * @param home - default: the user's home directory.
 * @throws KitError `heroku-credentials-missing` | `heroku-host-refused`.
 */
export async function herokuToken(env: NodeJS.ProcessEnv, home: string = homedir()): Promise<string> {
  const url = new URL(herokuApiUrl(env.HEROKU_HOST));
  const machines = isLocal(url) ? [url.host, url.hostname] : [...new Set([url.hostname, 'api.heroku.com'])];
  const token = env.HEROKU_API_KEY?.trim() || (await netrcPassword(home, machines));
  if (!token) {
    throw new KitError(
      'heroku-credentials-missing',
      `no Heroku credentials: set HEROKU_API_KEY (\`heroku authorizations:create\` prints one), or run \`heroku login\`, which writes machine ${machines[0]} to ~/.netrc`,
    );
  }
  registerSecret(token);
  return token;
}

async function netrcPassword(home: string, machines: readonly string[]): Promise<string | undefined> {
  const file = ['.netrc.gpg', '.netrc', '_netrc'].map((name) => join(home, name)).find(existsSync);
  if (file === undefined) return undefined;
  const { Netrc } = await import('netrc-parser');
  const netrc = new Netrc(file);
  try {
    await netrc.load();
  } catch (cause) {
    throw new KitError('heroku-credentials-missing', `${file} cannot be read; mend it, or set HEROKU_API_KEY`, { cause });
  }
  return machines.map((machine) => netrc.machines[machine]?.password).find(Boolean);
}
