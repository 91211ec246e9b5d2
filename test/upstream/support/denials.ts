import { GetAccessKeyLastUsedCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam';
import { CreateBucketCommand } from '@aws-sdk/client-s3';
import type { Attempt } from '../../../lib/smoke/requests.plan.js';
import { storageRequest } from '../../support/halcyon-request.js';
import { source, type Actor } from './actor.js';
import type { Guide } from './guide.js';
import type { Stage } from './stage.js';
import { HASKELL_ON_HEROKU } from './upstream.js';

/**
 * What becomes of apps whose own users were, by mistake, given everything, and whose config vars no longer hold them back. To be played
 * when a guide of signature version 4 is over, on its bucket.
 */
export const playDenials = (stage: Stage, guide: Promise<Guide>, team: string) => ({
  writing: guide.then((told) => write(stage, told, team)),
  cleaning: guide.then((told) => clean(stage, told)),
  signing: guide.then((told) => signWithVersion2(stage, told)),
});

/** A read-only app without HALCYON_NO_UPLOAD, and its key in the hands of Halcyon's S3 functions. */
async function write(stage: Stage, { reader, archive, sources }: Guide, team: string) {
  await widen(stage, reader);
  const bucket = `elsewhere-${team}`;
  await (await stage.aws('us-east-1').s3()).send(new CreateBucketCommand({ Bucket: bucket }));
  const { HALCYON_AWS_ACCESS_KEY_ID: accessKeyId = '', HALCYON_AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = reader.vars;
  const put = { signature: 4, region: 'us-east-1', method: 'PUT', bucket, object: 'slip' } as const;
  const elsewhere = (await storageRequest(stage.sandbox.aws, { accessKeyId, secretAccessKey }, put)).status;

  const [, ...kept] = archive.install(sources.archiveOne).split('/');
  const functions = await reader.attempt([
    { proof: 'upload', operation: 'put', key: 'slip', acl: 'bucket-owner-full-control', expected: 'denied' },
    { proof: 'delete', operation: 'delete', key: kept.join('/'), expected: 'denied' },
  ] satisfies Attempt[]);
  // One try is enough: five take half a minute.
  await stage.heroku.patchConfigVars(reader.app, { HALCYON_NO_UPLOAD: null, BASHMENOT_CURL_RETRIES: '1' });
  return { elsewhere, functions, uploading: await reader.deploy(source(reader.app)) };
}

/** An append-only app without HALCYON_NO_CLEAN_PRIVATE_STORAGE, with a changed source. */
async function clean(stage: Stage, { archive }: Guide) {
  await widen(stage, archive);
  await stage.heroku.patchConfigVars(archive.app, { HALCYON_NO_CLEAN_PRIVATE_STORAGE: null });
  return archive.deploy(source(archive.app));
}

/** An app without our buildpack, first where S3 itself refuses version 2, then where it does not. */
async function signWithVersion2(stage: Stage, { sister, sources }: Guide) {
  await stage.heroku.setBuildpacks(sister.app, [HASKELL_ON_HEROKU]);
  await stage.heroku.patchConfigVars(sister.app, { HALCYON_PURGE_CACHE: '1' });
  const refused = await sister.deploy(sources.sister);
  stage.sandbox.aws.settings.sigv2.buckets[sister.bucket] = 'accept';
  return { refused, denied: await sister.deploy(sources.sister) };
}

/** The app's own user may do everything. */
async function widen(stage: Stage, { vars }: Pick<Actor, 'vars'>): Promise<void> {
  const iam = await stage.aws('us-east-1').iam();
  const { UserName } = await iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: vars.HALCYON_AWS_ACCESS_KEY_ID }));
  const everything = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] };
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 'slip', PolicyDocument: JSON.stringify(everything) }));
}
