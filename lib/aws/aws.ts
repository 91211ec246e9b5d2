import type { Readable } from 'node:stream';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { SNSClient } from '@aws-sdk/client-sns';
import type { STSClient } from '@aws-sdk/client-sts';
import type { KeyPair } from '../contract/index.js';
import { KitError } from '../errors.js';
import { registerSecret } from '../io/redaction.js';
import { networkOf, type Network } from '../network/network.js';
import { checkAnswers, shortened } from './answers.js';

export interface AwsOptions {
  readonly region: string;
  /** Named profile; default: AWS_PROFILE, then the default chain. */
  readonly profile?: string;
  /** Act as this key instead of the operator, whose credentials the default chain finds. */
  readonly key?: KeyPair;
  /** Attempts a request, first included. Default 5. */
  readonly maxAttempts?: number;
  /** Comes right before every attempt; stops it by throwing. */
  readonly guard?: () => Promise<void>;
  /** Default: as this process's environment says. */
  readonly network?: Network;
}

/** AWS clients, made when first asked for; SDK packages load only then. They honour AWS_ENDPOINT_URL*, as the SDK does, and the network's proxies and AWS_CA_BUNDLE. */
export interface Aws {
  readonly region: string;
  readonly network: Network;
  s3(): Promise<S3Client>;
  iam(): Promise<IAMClient>;
  sts(): Promise<STSClient>;
  sns(): Promise<SNSClient>;
  secrets(): Promise<SecretsManagerClient>;
  cloudformation(): Promise<CloudFormationClient>;
  /** The same region and endpoint, as another key. */
  as(key: KeyPair): Aws;
  /** The same in another region. */
  in(region: string): Aws;
  /** The same with one attempt a request, and `guard` right before it: for what must not be sent twice, or late. */
  once(guard?: () => Promise<void>): Aws;
}

const CONNECT_MS = 10_000;

/** The SDK's words, which has the same name for a time-out after the request was sent. */
const NO_CONNECTION = /did not establish a connection/;

/** Who names a profile need not be told that there is a key in the environment as well. */
const QUIET = { debug() {}, info() {}, warn() {}, error() {} };

/** What all clients of one operator share: connections, and credentials. Finding those may run a process, or take the touch of a key. */
function operatorOf({ profile: named }: Pick<AwsOptions, 'profile'>, network: Network) {
  const profile = named ?? process.env.AWS_PROFILE;
  const open = async () => {
    const [{ NodeHttpHandler }, { defaultProvider }] = await Promise.all([
      import('@smithy/node-http-handler'),
      import('@aws-sdk/credential-provider-node'),
    ]);
    const { proxied, ...agents } = await network.agents('aws');
    // A network that just wakes up needs a second one; a proxy, which may be slow, all of the time.
    const attempts = proxied ? 1 : 2;
    const handler = new NodeHttpHandler({ connectionTimeout: CONNECT_MS, ...agents });
    const first = new NodeHttpHandler({ connectionTimeout: CONNECT_MS / attempts, ...agents });
    let provide: ReturnType<typeof defaultProvider> | undefined;
    const credentialDefaultProvider = (init: object) => {
      // By itself the SDK would ask for SSO credentials by another way.
      const provider = (provide ??= defaultProvider({
        ...init,
        ...(named ? { logger: QUIET } : {}),
        clientConfig: { requestHandler: handler },
      }));
      return async (...more: Parameters<typeof provider>) => {
        const found = await provider(...more).catch((error: Error) => {
          // The SDK does not say which it looked for.
          throw profile === undefined ? error : Object.assign(error, { profile });
        });
        for (const secret of [found.secretAccessKey, found.sessionToken]) registerSecret(secret);
        return found;
      };
    };
    return { handler, first, attempts, credentialDefaultProvider };
  };
  let opened: ReturnType<typeof open> | undefined;
  return () => (opened ??= open());
}

export function createAws(options: AwsOptions): Aws {
  const network = options.network ?? networkOf();
  return awsOf({ ...options, network }, operatorOf(options, network));
}

function awsOf(options: AwsOptions & { readonly network: Network }, operator: ReturnType<typeof operatorOf>): Aws {
  const { network } = options;
  registerSecret(options.key?.secretAccessKey);
  const made = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (!made.has(name)) made.set(name, make());
    return made.get(name) as Promise<T>;
  };
  const common = () =>
    once('common', async () => {
      const { handler, first, attempts, credentialDefaultProvider } = await operator();
      const handle: typeof handler.handle = async (request, more) => {
        for (let left = attempts; ; left -= 1) {
          await options.guard?.();
          const answered = network.time.asked();
          try {
            const answer = await (network.reached.has('aws') ? handler : first).handle(request, more);
            network.reached.add('aws');
            answered(answer.response.headers.date);
            answer.response.body = shortened(answer.response.body as Readable, `${request.method} ${request.hostname}${request.path}`);
            return answer;
          } catch (error) {
            if (network.reached.has('aws') || !NO_CONNECTION.test((error as Error).message)) throw error;
            if (left > 1) continue;
            // Of one that drops packets each of the SDK's attempts would wait as long, and somebody waits to be told: it tries again what a TimeoutError caused.
            const cause = new Error((error as Error).message);
            const why = `AWS cannot be reached at ${request.hostname}: no connection within ${CONNECT_MS / 1000} s`;
            throw new KitError('aws-unreachable', `${why}; check the network, the region and AWS_ENDPOINT_URL`, { cause });
          }
        }
      };
      return {
        region: options.region,
        maxAttempts: options.maxAttempts ?? 5,
        requestHandler: Object.create(handler, { handle: { value: handle } }) as typeof handler,
        // The SDK finds it out by itself, but only by an attempt that is refused.
        systemClockOffset: network.time.offset,
        credentialDefaultProvider,
        ...(options.profile === undefined ? {} : { profile: options.profile }),
        ...(options.key === undefined
          ? {}
          : { credentials: { accessKeyId: options.key.accessKeyId, secretAccessKey: options.key.secretAccessKey } }),
      };
    });
  // Of services that throttle who works on many teams side by side: their requests slow down, in place of each failing by itself.
  const patience = { maxAttempts: options.maxAttempts ?? 8, retryMode: 'adaptive' };
  const elsewhere = new Map<string, Aws>();
  const aws: Aws = {
    region: options.region,
    network,
    s3: () =>
      once('s3', async () => {
        const { S3Client } = await import('@aws-sdk/client-s3');
        // Path style: Halcyon's own, and the only style that endpoints without wildcard DNS answer.
        return checkAnswers(new S3Client({ ...(await common()), forcePathStyle: true }));
      }),
    iam: () =>
      once('iam', async () => checkAnswers(new (await import('@aws-sdk/client-iam')).IAMClient({ ...(await common()), ...patience }))),
    sts: () => once('sts', async () => checkAnswers(new (await import('@aws-sdk/client-sts')).STSClient(await common()))),
    sns: () => once('sns', async () => checkAnswers(new (await import('@aws-sdk/client-sns')).SNSClient(await common()))),
    secrets: () =>
      once('secrets', async () => checkAnswers(new (await import('@aws-sdk/client-secrets-manager')).SecretsManagerClient(await common()))),
    cloudformation: () =>
      once('cfn', async () => {
        const { CloudFormationClient } = await import('@aws-sdk/client-cloudformation');
        return checkAnswers(new CloudFormationClient({ ...(await common()), ...patience }));
      }),
    as: (key) => createAws({ region: options.region, maxAttempts: options.maxAttempts, key, network }),
    in(region) {
      const other = elsewhere.get(region) ?? awsOf({ ...options, region }, operator);
      return region === options.region ? aws : (elsewhere.set(region, other), other);
    },
    once: (guard) => awsOf({ ...options, guard, maxAttempts: 1 }, operator),
  };
  return aws;
}
