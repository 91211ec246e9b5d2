import { partitionOf } from '../../../lib/config/regions.js';
import { xmlText } from './answer.js';
import type { Call } from './call.js';
import { KeyUses } from './key-uses.js';
import type { Upstream } from './upstream.js';

export interface BucketFacts {
  readonly region: string;
  readonly ownership: string | undefined;
  /** The bucket policy's text. */
  readonly policy: string | undefined;
}

/** CloudFormation changes buckets inside MiniStack, behind the front: for so long after it was told to, bucket settings are asked for anew … */
const STACK_MS = 120_000;
/** … after this. */
const FRESH_MS = 250;
const STACK_WRITES = /^(Create|Update|Delete|Execute|Rollback|ContinueUpdateRollback|CancelUpdate)/;

/** What the front knows of the account's state: asked of MiniStack as root, remembered while it cannot have changed. */
export class Knowledge {
  /** When each key was made, by the machine's clock. */
  readonly births = new Map<string, number>();
  readonly uses = new KeyUses();
  /** Versions of secrets that AWS would not have made. */
  readonly phantomVersions = new Set<string>();
  #stacksMayChangeUntil = 0;
  readonly #principals = new Map<string, string>();
  readonly #buckets = new Map<string, { at: number; facts: Promise<BucketFacts | undefined> }>();

  constructor(
    private readonly upstream: Upstream,
    account: string,
    private readonly region: string,
    rootKeyId: string,
  ) {
    this.#principals.set(rootKeyId, `arn:${partitionOf(region)}:iam::${account}:root`);
  }

  /** ARN of the owner of a key; undefined when nobody has it. */
  async principal(accessKeyId: string): Promise<string | undefined> {
    const known = this.#principals.get(accessKeyId);
    if (known !== undefined) return known;
    const user = await this.ownerOf(accessKeyId);
    if (user === undefined) return undefined;
    const answer = await this.iam({ Action: 'GetUser', UserName: user });
    const arn = answer === undefined ? undefined : xmlText(answer, 'Arn');
    if (arn !== undefined) this.#principals.set(accessKeyId, arn);
    return arn;
  }

  /** Remember whose a key is. */
  setPrincipal(accessKeyId: string, arn: string): void {
    this.#principals.set(accessKeyId, arn);
  }

  /** Name of the user who has a key. */
  async ownerOf(accessKeyId: string): Promise<string | undefined> {
    const answer = await this.iam({ Action: 'GetAccessKeyLastUsed', AccessKeyId: accessKeyId });
    return answer === undefined ? undefined : xmlText(answer, 'UserName');
  }

  /** Ids of a user's keys, oldest first. */
  async keysOf(user: string): Promise<string[]> {
    const answer = await this.iam({ Action: 'ListAccessKeys', UserName: user });
    return answer === undefined ? [] : [...answer.matchAll(/<AccessKeyId>([^<]+)</g)].map((match) => match[1] as string);
  }

  /** Undefined when there is no such bucket. */
  bucket(name: string): Promise<BucketFacts | undefined> {
    const known = this.#buckets.get(name);
    const fresh = known !== undefined && (Date.now() > this.#stacksMayChangeUntil || Date.now() - known.at < FRESH_MS);
    if (fresh) return known.facts;
    const facts = this.askBucket(name);
    this.#buckets.set(name, { at: Date.now(), facts });
    facts.catch(() => this.#buckets.delete(name));
    return facts;
  }

  /** Forget what `call` may have changed, or may tell that something else changed. */
  notice(call: Call): void {
    if (call.service === 's3') {
      if (call.method !== 'GET' && call.method !== 'HEAD' && call.bucket !== undefined && call.key === undefined)
        this.#buckets.delete(call.bucket);
    } else if (call.service === 'iam') {
      if (/^(Update|Delete)(User|AccessKey)$/.test(call.operation)) this.forgetPrincipals();
    } else if (call.service === 'cloudformation') {
      if (STACK_WRITES.test(call.operation)) this.#stacksMayChangeUntil = Date.now() + STACK_MS;
      this.#buckets.clear();
      this.forgetPrincipals();
    }
  }

  private forgetPrincipals(): void {
    for (const [key, arn] of this.#principals) if (arn.includes(':user/')) this.#principals.delete(key);
  }

  private async askBucket(name: string): Promise<BucketFacts | undefined> {
    const ask = async (region: string, ...subresource: string[]) =>
      this.upstream.asRoot({
        service: 's3',
        region,
        method: 'GET',
        path: `/${encodeURIComponent(name)}`,
        query: Object.fromEntries(subresource.map((parameter) => [parameter, ''])),
      });
    const location = await ask(this.region, 'location');
    const text = location.body.toString('utf8');
    if (location.status === 404) return undefined;
    const header = location.headers.findIndex((value, i) => i % 2 === 0 && value.toLowerCase() === 'x-amz-bucket-region');
    const region = (location.status === 200 ? xmlText(text, 'LocationConstraint') : location.headers[header + 1]) || 'us-east-1';
    const [ownership, policy] = await Promise.all([ask(region, 'ownershipControls'), ask(region, 'policy')]);
    return {
      region: region === 'EU' ? 'eu-west-1' : region,
      ownership: ownership.status === 200 ? xmlText(ownership.body.toString('utf8'), 'ObjectOwnership') : undefined,
      policy: policy.status === 200 ? policy.body.toString('utf8') : undefined,
    };
  }

  private async iam(form: Record<string, string>): Promise<string | undefined> {
    const answer = await this.upstream.asRoot({ service: 'iam', region: 'us-east-1', form: { Version: '2010-05-08', ...form } });
    return answer.status === 200 ? answer.body.toString('utf8') : undefined;
  }
}
