import { BUILDPACK_PREFIX } from './names.js';

/** Where the SigV4 buildpack is when the kit hosts it (`signing.buildpack: hosted`): the names, pure. */

/** Key of a packed buildpack, by the hash of its content: a published URL never changes what it serves. */
export const hostedKey = (sha256: string): string => `${BUILDPACK_PREFIX}halcyon-sigv4-${sha256}.tgz`;

/** URL of a packed buildpack: path style, at the region's endpoint or where the network has another S3. */
export const hostedUrl = (s3Origin: string, bucket: string, sha256: string): string => `${s3Origin}/${bucket}/${hostedKey(sha256)}`;

const HOSTED = new RegExp(`^https?://[^?#]+/${BUILDPACK_PREFIX}halcyon-sigv4-([0-9a-f]{64})\\.tgz$`);

/** Hash of the content that a URL of ours promises; undefined for one that is not a hosted buildpack's. */
export const hostedHash = (url: string): string | undefined => HOSTED.exec(url)?.[1];

/** Whether `url` is our buildpack: the configured one, or any version that the kit has hosted anywhere. */
export const isOurBuildpack = (url: string, configured?: string): boolean => url === configured || HOSTED.test(url);
