import type { Aws } from '../../aws/aws.js';
import { ownedBy, type BucketName } from '../../aws/bucket.js';
import { KitError } from '../../errors.js';
import { failure, httpStatus, isMissing } from '../../aws/errors.js';
import type { ObjectStore } from './ports.js';

/** An object of the kit's in a bucket, the lease of a team for one, written with S3's conditional writes. */
export function s3Object(aws: Aws, bucket: BucketName, key: string): ObjectStore {
  const at = { ...ownedBy(bucket), Key: key };
  const place = `s3://${bucket.name}/${at.Key}`;
  const wrap = (error: unknown): KitError =>
    isMissing(error, 'bucket')
      ? new KitError(
          'bucket-missing',
          `bucket ${bucket.name} does not exist; run halcyon-kit up, which makes it with its stack, or see halcyon-kit doctor`,
          { cause: error },
        )
      : failure(error, `use ${place}`);
  /** 412: the condition does not hold. 409: another conditional write was under way. 404: there is none to replace. */
  const taken = (error: unknown): boolean => [404, 409, 412].includes(httpStatus(error) ?? 0) && !isMissing(error, 'bucket');

  const put = async (body: string, condition: { IfNoneMatch: string } | { IfMatch: string }): Promise<string | undefined> => {
    const { PutObjectCommand } = await import('@aws-sdk/client-s3');
    try {
      const answer = await (
        await aws.s3()
      ).send(new PutObjectCommand({ ...at, ...condition, Body: body, ContentType: 'application/json' }));
      return answer.ETag ?? '';
    } catch (error) {
      if (taken(error)) return undefined;
      throw wrap(error);
    }
  };
  return {
    place,
    create: (body) => put(body, { IfNoneMatch: '*' }),
    replace: (body, etag) => put(body, { IfMatch: etag }),
    async read() {
      const { GetObjectCommand } = await import('@aws-sdk/client-s3');
      const command = new GetObjectCommand(at);
      let date: string | undefined;
      // Age by the store's own clock, so that operators' clocks need not agree.
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          date = (result.response as { headers?: Record<string, string> }).headers?.date;
          return result;
        },
        { step: 'deserialize', name: 'readDate' },
      );
      try {
        const answer = await (await aws.s3()).send(command);
        const now = date === undefined ? aws.network.time.now() : Date.parse(date);
        const body = (await answer.Body?.transformToString()) ?? '';
        return { body, etag: answer.ETag ?? '', ageMs: Math.max(0, now - (answer.LastModified?.getTime() ?? now)) };
      } catch (error) {
        if (httpStatus(error) === 404 && !isMissing(error, 'bucket')) return undefined;
        throw wrap(error);
      }
    },
    async remove(etag) {
      const { DeleteObjectCommand } = await import('@aws-sdk/client-s3');
      // Not every store that speaks S3 heeds the condition of a deletion.
      if ((await this.read())?.etag !== etag) return;
      try {
        await (await aws.once().s3()).send(new DeleteObjectCommand({ ...at, IfMatch: etag }));
      } catch (error) {
        if (!taken(error)) throw wrap(error);
      }
    },
  };
}
