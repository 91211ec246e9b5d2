import { CreateBucketCommand, PutBucketPolicyCommand, PutBucketTaggingCommand, PutPublicAccessBlockCommand } from '@aws-sdk/client-s3';
import type { Aws } from '../lib/aws/aws.js';
import { publishBuildpack } from '../lib/buildpack/publish.client.js';
import { s3Origin } from '../lib/config/derive.js';
import { partitionOf } from '../lib/config/regions.js';
import { BUILDPACK_PREFIX, KIT_OBJECT_PREFIX } from '../lib/contract/index.js';
import { isDead, parseOwner, thisProcess } from '../lib/lease-owner.js';
import { Objects } from '../lib/smoke/objects.client.js';
import { expiryOf, tagsOf } from './fleet.plan.js';
import type { Run } from './run.js';

/** The ground of a run: a bucket that is there as long as anything of it may be, with a note of who runs it. */

/** Without renewal for so long a run is over. */
const TTL_MS = 5 * 60_000;
const NOTE = `${KIT_OBJECT_PREFIX}accept.json`;

/** @returns URL of the buildpack that is served from it, and what ends the note's renewal; kept things are noted until they expire. */
export async function openGround(run: Run): Promise<{ buildpack: string; leave(kept: boolean): Promise<void> }> {
  const { id, names, place, aws, host } = run;
  const s3 = await aws(place.region).s3();
  const bucket = { Bucket: names.ground };
  const here = place.region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: place.region as never } };
  await s3.send(new CreateBucketCommand({ ...bucket, ...here }));
  const leave = await note(aws(place.region), run);
  await s3.send(new PutBucketTaggingCommand({ ...bucket, Tagging: { TagSet: tagSetOf(tagsOf(id)) } }));
  // As the kit's own stack serves it: by policy, under one prefix, never by ACL.
  const open = { BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: false, RestrictPublicBuckets: false };
  await s3.send(new PutPublicAccessBlockCommand({ ...bucket, PublicAccessBlockConfiguration: open }));
  const Resource = `arn:${partitionOf(place.region)}:s3:::${names.ground}/${BUILDPACK_PREFIX}*`;
  const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource }];
  await s3.send(new PutBucketPolicyCommand({ ...bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
  const key = await publishBuildpack(aws(place.region), { name: names.ground, account: place.account });
  host.signal.throwIfAborted();
  return { buildpack: `${s3Origin({ s3Url: aws(place.region).network.s3Url }, place.region)}/${names.ground}/${key}`, leave };
}

async function note(aws: Aws, { id, names, place }: Run): Promise<(kept: boolean) => Promise<void>> {
  const objects = new Objects(aws, { name: names.ground, account: place.account });
  const write = (ttl: number, machine?: '') =>
    objects.put(NOTE, JSON.stringify({ ...thisProcess(ttl, Date.now()), ...(machine === undefined ? {} : { machine }) }));
  await write(TTL_MS);
  let writing: Promise<unknown> = Promise.resolve();
  // A renewal that fails is made up for by the next.
  const timer = setInterval(() => (writing = write(TTL_MS).catch(() => undefined)), TTL_MS / 5).unref();
  return async (kept) => {
    clearInterval(timer);
    await writing;
    if (kept) await write(Math.max(0, expiryOf(id).getTime() - Date.now()), '');
  };
}

/** Whether a run is under way, here or elsewhere, or its things are kept. */
export async function isGoingOn(aws: Aws, ground: { name: string; account: string }, id: string): Promise<boolean> {
  const [found] = await new Objects(aws, ground).read(NOTE);
  const owner = found === undefined ? undefined : parseOwner(found.body);
  // Killed before its first note, or about to write it.
  if (found === undefined || owner === undefined) return expiryOf(id).getTime() > Date.now();
  return found.ageMs <= owner.ttl && !isDead(owner, thisProcess(TTL_MS, Date.now()));
}

export const tagSetOf = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
