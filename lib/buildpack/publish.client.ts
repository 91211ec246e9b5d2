import type { Aws } from '../aws/aws.js';
import { awsError, isPreconditionFailed } from '../aws/errors.js';
import { hostedKey } from './hosted.js';
import { packBuildpack } from './pack.js';

/**
 * Put the packed buildpack into the hosting bucket, under a key that names its content. Does nothing where it is there already.
 * @returns its key, which anyone can fetch once the bucket's policy allows it.
 * @throws KitError of {@link awsError}.
 */
export async function publishBuildpack(aws: Aws, bucket: string): Promise<string> {
  const { tgz, sha256 } = await packBuildpack();
  const key = hostedKey(sha256);
  try {
    const [s3, { PutObjectCommand }] = await Promise.all([aws.s3(), import('@aws-sdk/client-s3')]);
    await s3.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: tgz,
        ContentType: 'application/gzip',
        CacheControl: 'public, max-age=31536000, immutable',
        IfNoneMatch: '*',
      }),
    );
  } catch (error) {
    if (!isPreconditionFailed(error)) throw awsError(error, `publish the buildpack as s3://${bucket}/${key}`);
  }
  return key;
}
