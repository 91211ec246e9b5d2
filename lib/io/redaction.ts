import { cut, printable } from './printable.js';

/**
 * Secrets this process has received, by how they begin and how long they are: a text is gone through once, however many there are. Each is registered the moment it
 * arrives, and every text that leaves the process (terminal, JSON, evidence, error) passes through {@link outgoing}.
 */
const secrets = new Map<string, Map<number, Set<string>>>();
const firsts = new Set<number>();
const SHORTEST = 8;

/** So long a line of a secret is none that stands elsewhere, as the first and last of a PEM do. */
const LINE = /^(?!-----).{20,}$/;

/** Register a secret; texts shorter than 8 characters are ignored, since blanking them would garble everything. */
export function registerSecret(value: string | undefined): void {
  if (value === undefined || value.length < SHORTEST) return;
  // A key in a PEM may be printed line by line.
  const lines = value.split(/\r?\n/);
  if (lines.length > 1) for (const line of lines.map((one) => one.trim())) if (LINE.test(line)) registerSecret(line);
  // The forms in which a value may be written by someone else: JSON, a URL, Basic authentication (Heroku's `:token`).
  const forms = [
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(value.replaceAll(/\p{Cs}/gu, '\ufffd')),
    Buffer.from(`:${value}`).toString('base64'),
  ];
  for (const form of forms) {
    const head = form.slice(0, SHORTEST);
    const known = secrets.get(head) ?? new Map<number, Set<string>>();
    secrets.set(head, known.set(form.length, (known.get(form.length) ?? new Set()).add(form)));
    firsts.add(head.charCodeAt(0));
  }
}

/** @internal What one file of tests has registered is no secret to the next in the same process. */
export function forgetSecrets(): void {
  secrets.clear();
  firsts.clear();
}

/** Register the user names and passwords in URLs: they are credentials. Texts that are no URLs are passed over. */
export function registerUrlSecrets(texts: Iterable<string>): void {
  for (const text of texts) {
    for (const part of /^[a-z+]+:\/\/([^/@]*)@/.exec(text)?.[1]?.split(':') ?? []) registerSecret(part);
  }
}

const SECRET_NAME = /PASS|SECRET|TOKEN|PRIVATE|CREDENTIAL|(?:_|API)KEY$|DSN$/i;
const KEY_ID = /^A[KS]IA[A-Z0-9]+$/;
/** What nobody would choose as a name. */
const isRandom = (value: string): boolean => /^[\w+/=-]+$/.test(value) && [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(value));

/** Register what among an app's config vars is secret by its name, or looks like it, but for those whose `plain` names tell what they hold. */
export function registerConfigVars(vars: Readonly<Record<string, string>>, plain: readonly string[] = []): void {
  registerUrlSecrets(Object.values(vars));
  for (const [name, value] of Object.entries(vars))
    if (!KEY_ID.test(value) && (SECRET_NAME.test(name) || (value.length >= 20 && isRandom(value) && !plain.includes(name))))
      registerSecret(value);
}

/** `text` with every registered secret replaced by `[redacted]`. */
export function redact(text: string): string {
  let out = '';
  let done = 0;
  for (let at = 0; at + SHORTEST <= text.length; at += 1) {
    if (!firsts.has(text.charCodeAt(at))) continue;
    for (const [length, some] of secrets.get(text.slice(at, at + SHORTEST)) ?? []) {
      if (!some.has(text.slice(at, at + length))) continue;
      if (at >= done) out += `${text.slice(done, at)}[redacted]`;
      done = Math.max(done, at + length);
    }
  }
  return out + text.slice(done);
}

/** The one way out of the process: without secrets, and without what a terminal would obey. */
export const outgoing = (text: string): string => printable(redact(text));

/** What someone else says, for a sentence of ours: one line, not too long, and without what looks like a key, even one that nobody has read. */
export const foreign = (text: string): string =>
  cut(
    printable(redact(text).slice(0, 10_000).replaceAll(/\s+/g, ' ').trim())
      .replaceAll(/[A-Za-z0-9+/]{32,}={0,2}|\bHRKU-[\w-]{20,}/g, (word) => (isRandom(word) ? '[redacted]' : word))
      .replaceAll(/:\/\/[^\s/@]+@/g, '://[redacted]@')
      .replaceAll(/\b(A[KS]IA)[A-Z0-9]{8,}([A-Z0-9]{4})\b/g, '$1…$2'),
    500,
  );
