import { KitError } from '../errors.js';

const HEROKU_DOMAINS = ['heroku.com', 'herokai.com', 'herokuspace.com', 'herokudev.com'];
const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

/**
 * The Platform API's base URL, without a slash at its end. `host` is what the Heroku CLI takes as HEROKU_HOST: a URL, or a domain
 * whose `api.` host is meant. Only these may see the token: Heroku's domains over TLS (the list is the CLI's own), and this machine.
 * @param host - default: https://api.heroku.com
 * @throws KitError `heroku-host-refused`.
 */
export function herokuApiUrl(host: string | undefined): string {
  if (host === undefined || host.trim() === '') return 'https://api.heroku.com';
  const text = host.trim();
  let url: URL;
  try {
    url = new URL(/^https?:\/\//.test(text) ? text : text.startsWith('api.') ? `https://${text}` : `https://api.${text}`);
  } catch (cause) {
    throw refused(host, cause);
  }
  const isHeroku = HEROKU_DOMAINS.some((domain) => url.hostname === domain || url.hostname.endsWith(`.${domain}`));
  if (isLocal(url) || (isHeroku && url.protocol === 'https:')) return `${url.protocol}//${url.host}`;
  throw refused(url.host);
}

/** Whether `url` is on this machine. */
export const isLocal = (url: URL): boolean => LOCAL_HOSTS.includes(url.hostname) || url.hostname.endsWith('.localhost');

function refused(host: string, cause?: unknown): KitError {
  return new KitError(
    'heroku-host-refused',
    `HEROKU_HOST "${host}" is neither a Heroku domain (over https) nor this machine, so it is not given the Heroku token; unset it, or set a domain under ${HEROKU_DOMAINS.join(', ')} or http://localhost:PORT`,
    { cause },
  );
}
