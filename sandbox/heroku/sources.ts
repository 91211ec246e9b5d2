import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

/** Uploaded sources, each behind a signed put and get URL, as Heroku's are behind signed S3 URLs. */
export class SourceStore {
  private readonly blobs = new Map<string, Buffer | undefined>();
  private readonly key = randomBytes(32);

  constructor(private readonly base: () => string) {}

  create(): { putUrl: string; getUrl: string } {
    const id = randomUUID();
    this.blobs.set(id, undefined);
    return { putUrl: this.url(id, 'PUT'), getUrl: this.url(id, 'GET') };
  }

  /** Whether a request with this method, id and query may be served. */
  allows(method: string, id: string, query: { Expires?: string | undefined; Signature?: string | undefined }): boolean {
    const expires = Number(query.Expires);
    const given = Buffer.from(query.Signature ?? '', 'hex');
    const right = Buffer.from(this.sign(method, id, expires), 'hex');
    return this.blobs.has(id) && expires * 1000 > Date.now() && given.length === right.length && timingSafeEqual(given, right);
  }

  put(id: string, bytes: Buffer): void {
    this.blobs.set(id, bytes);
  }

  get(id: string): Buffer | undefined {
    return this.blobs.get(id);
  }

  /** Whether a build may take its source from here: our own, or anyone's over https. */
  accepts(url: string): boolean {
    return url.startsWith(`${this.base()}/_sources/`) || url.startsWith('https://');
  }

  async read(url: string): Promise<Buffer> {
    if (url.startsWith(`${this.base()}/_sources/`)) {
      const { pathname, searchParams } = new URL(url);
      const id = pathname.split('/').at(-1) as string;
      if (!this.allows('GET', id, Object.fromEntries(searchParams))) throw new Error('403 Forbidden');
      const bytes = this.get(id);
      if (bytes === undefined) throw new Error('404 Not Found');
      return bytes;
    }
    const answer = await fetch(url);
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return Buffer.from(await answer.arrayBuffer());
  }

  private url(id: string, method: string): string {
    const expires = Math.floor(Date.now() / 1000) + 3600;
    return `${this.base()}/_sources/${id}?Expires=${expires}&Signature=${this.sign(method, id, expires)}`;
  }

  private sign(method: string, id: string, expires: number): string {
    return createHmac('sha256', this.key).update(`${method} ${id} ${expires}`).digest('hex');
  }
}
