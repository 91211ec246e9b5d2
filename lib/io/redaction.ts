/**
 * Secrets this process has received. Each is registered the moment it arrives, and every text that leaves the process
 * (terminal, JSON, evidence, error) passes through {@link redact}.
 */
const secrets = new Set<string>();

/** Register a secret; texts shorter than 8 characters are ignored, since blanking them would garble everything. */
export function registerSecret(value: string | undefined): void {
  if (value === undefined || value.length < 8) return;
  secrets.add(value);
  // The forms in which a value may be written by someone else: JSON, a URL, Basic authentication (Heroku's `:token`).
  for (const form of [JSON.stringify(value).slice(1, -1), encodeURIComponent(value), Buffer.from(`:${value}`).toString('base64')]) {
    secrets.add(form);
  }
}

/** Register the user names and passwords in URLs: they are credentials. Texts that are no URLs are passed over. */
export function registerUrlSecrets(texts: Iterable<string>): void {
  for (const text of texts) {
    for (const part of /^[a-z+]+:\/\/([^/@]*)@/.exec(text)?.[1]?.split(':') ?? []) registerSecret(part);
  }
}

/** `text` with every registered secret replaced by `[redacted]`. */
export function redact(text: string): string {
  let out = text;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) out = out.replaceAll(secret, '[redacted]');
  return out;
}
