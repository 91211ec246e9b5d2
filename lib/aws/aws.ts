import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import type { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import type { IAMClient } from '@aws-sdk/client-iam';
import type { S3Client } from '@aws-sdk/client-s3';
import type { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { STSClient } from '@aws-sdk/client-sts';
import type { KeyPair } from '../contract/index.js';

export interface AwsOptions {
  readonly region: string;
  /** Named profile; default: AWS_PROFILE, then the default chain. */
  readonly profile?: string;
  /** Act as this key instead of the operator, whose credentials the default chain finds. */
  readonly key?: KeyPair;
  /** Attempts a request, first included. Default 5. */
  readonly maxAttempts?: number;
}

/** AWS clients, made when first asked for; SDK packages load only then. They honour AWS_ENDPOINT_URL*, AWS_CA_BUNDLE and the proxy-free defaults of the SDK. */
export interface Aws {
  readonly region: string;
  s3(): Promise<S3Client>;
  iam(): Promise<IAMClient>;
  sts(): Promise<STSClient>;
  secrets(): Promise<SecretsManagerClient>;
  cloudformation(): Promise<CloudFormationClient>;
  /** The same region and endpoint, as another key. */
  as(key: KeyPair): Aws;
  /** The same with one attempt a request: for what must not be sent twice. */
  once(): Aws;
}

export function createAws(options: AwsOptions): Aws {
  const made = new Map<string, Promise<unknown>>();
  const once = <T>(name: string, make: () => Promise<T>): Promise<T> => {
    if (!made.has(name)) made.set(name, make());
    return made.get(name) as Promise<T>;
  };
  const common = () =>
    once('common', async () => {
      const { NodeHttpHandler } = await import('@smithy/node-http-handler');
      const bundle = process.env.AWS_CA_BUNDLE;
      return {
        region: options.region,
        maxAttempts: options.maxAttempts ?? 5,
        // The SDK ignores AWS_CA_BUNDLE, which the CDK and the AWS CLI honour.
        requestHandler: new NodeHttpHandler({
          connectionTimeout: 10_000,
          httpsAgent: new Agent({ keepAlive: true, ca: bundle ? readFileSync(bundle) : undefined }),
        }),
        ...(options.profile === undefined ? {} : { profile: options.profile }),
        ...(options.key === undefined
          ? {}
          : { credentials: { accessKeyId: options.key.accessKeyId, secretAccessKey: options.key.secretAccessKey } }),
      };
    });
  return {
    region: options.region,
    s3: () =>
      once('s3', async () => {
        const { S3Client } = await import('@aws-sdk/client-s3');
        // Path style: Halcyon's own, and the only style that endpoints without wildcard DNS answer.
        return new S3Client({ ...(await common()), forcePathStyle: true });
      }),
    iam: () => once('iam', async () => new (await import('@aws-sdk/client-iam')).IAMClient(await common())),
    sts: () => once('sts', async () => new (await import('@aws-sdk/client-sts')).STSClient(await common())),
    secrets: () => once('secrets', async () => new (await import('@aws-sdk/client-secrets-manager')).SecretsManagerClient(await common())),
    cloudformation: () =>
      once('cfn', async () => new (await import('@aws-sdk/client-cloudformation')).CloudFormationClient(await common())),
    as: (key) => createAws({ region: options.region, maxAttempts: options.maxAttempts, key }),
    once: () => createAws({ ...options, maxAttempts: 1 }),
  };
}
