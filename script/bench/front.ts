// What the front adds to a request: the same S3 GET through it and straight to MiniStack, in turn.
import { GetObjectCommand, PutObjectCommand, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { startLocalAws } from '../../sandbox/aws/index.js';
import { median, type Figure } from './measure.js';

export async function run(): Promise<Figure[]> {
  const aws = await startLocalAws();
  try {
    const client = (endpoint: string) =>
      new S3Client({
        endpoint,
        region: aws.region,
        forcePathStyle: true,
        credentials: { accessKeyId: aws.env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: aws.env.AWS_SECRET_ACCESS_KEY ?? '' },
        requestHandler: new NodeHttpHandler({ httpsAgent: new Agent({ keepAlive: true, ca: readFileSync(aws.caFile) }) }),
      });
    const through = client(aws.url);
    const straight = client(aws.upstreamUrl);
    await through.send(new CreateBucketCommand({ Bucket: 'bench' }));
    await through.send(new PutObjectCommand({ Bucket: 'bench', Key: 'object', Body: 'x'.repeat(1024) }));
    const timed = async (s3: S3Client) => {
      const began = process.hrtime.bigint();
      await (await s3.send(new GetObjectCommand({ Bucket: 'bench', Key: 'object' }))).Body?.transformToString();
      return Number(process.hrtime.bigint() - began) / 1e6;
    };
    const costs: number[] = [];
    for (let i = 0; i < 320; i++) {
      const front = await timed(through);
      const alone = await timed(straight);
      if (i >= 20) costs.push(front - alone);
    }
    return [{ name: "the front's cost a request (1 KiB GET)", value: median(costs), unit: 'ms', aim: '< 5' }];
  } finally {
    await aws.stop();
  }
}
