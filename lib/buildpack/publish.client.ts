import { setTimeout as sleep } from 'node:timers/promises';
import type { Aws } from '../aws/aws.js';
import { ownedBy, type BucketName } from '../aws/bucket.js';
import { awsError, httpStatus, isMissing, isPreconditionFailed } from '../aws/errors.js';
import { hostedKey } from '../contract/index.js';
import { KitError } from '../errors.js';
import { packBuildpack, sha256Of } from './pack.js';
import { tampered } from './served.client.js';

/**
 * Put the packed buildpack into the hosting bucket, under a key that names its content. Where it is there already it is compared.
 * @returns its key, which anyone can fetch once the bucket's policy allows it.
 * @throws KitError `buildpack-tampered` where something else is under its name; else of {@link awsError}.
 */
export async function publishBuildpack(aws: Aws, bucket: BucketName): Promise<string> {
  const { tgz, sha256 } = await packBuildpack();
  const key = hostedKey(sha256);
  const at = { ...ownedBy(bucket), Key: key };
  const place = `s3://${bucket.name}/${key}`;
  const [s3, { GetObjectCommand, PutObjectCommand }] = await Promise.all([aws.s3(), import('@aws-sdk/client-s3')]);
  const put = () =>
    s3.send(
      new PutObjectCommand({
        ...at,
        Body: tgz,
        ContentType: 'application/gzip',
        CacheControl: 'public, max-age=31536000, immutable',
        IfNoneMatch: '*',
      }),
    );
  try {
    await put().catch(async (error: unknown) => {
      // Another publisher is at it: S3 asks to try again, and knows by then whether it is there.
      if (httpStatus(error) !== 409) throw error;
      await sleep(500);
      return put();
    });
  } catch (error) {
    if (isMissing(error, 'bucket'))
      throw new KitError(
        'bucket-missing',
        `bucket ${bucket.name}, which serves the buildpack, does not exist; run halcyon-kit up, which makes it with its stack; where the stack is there, and the bucket was deleted by hand, delete the stack first`,
        { cause: error },
      );
    if (!isPreconditionFailed(error)) throw awsError(error, `publish the buildpack as ${place}`);
    const there = await s3.send(new GetObjectCommand(at)).catch((cause: unknown) => {
      throw awsError(cause, `compare the buildpack that is at ${place}`);
    });
    const found = sha256Of((await there.Body?.transformToByteArray()) ?? new Uint8Array());
    if (found !== sha256) throw tampered(place, found);
  }
  return key;
}
