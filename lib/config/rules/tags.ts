import type { Path } from '../document.js';
import { bucketOf, placesOf, teamsOf, type Rule } from './draft.js';

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html, and the same for a bucket and a secret. */
const TAGS_A_RESOURCE = 50;
/** On an IAM user: its manager, deployment, team, app and access, and the bucket, prefix, region and ACL that it may reach. */
const KIT_TAGS = 9;
/** On an IAM user, while its keys are rotated: three a key, of which it has two. */
const KEY_TAGS = 6;
const MOST = TAGS_A_RESOURCE - KIT_TAGS - KEY_TAGS;

interface Tag {
  readonly at: Path;
  readonly key: string;
  readonly value?: string;
}

/** What one resource gets: a shared bucket its own tags; a team's bucket, users and secrets those of the team and of its bucket. */
export const tagsAllowed: Rule = (draft, report) => {
  const tagsAt = (path: Path, tags: Readonly<Record<string, string | undefined>> = {}): Tag[] =>
    Object.entries(tags).map(([key, value]) => ({ at: [...path, 'tags', key], key, value }));
  const resources = [
    ...placesOf(draft).flatMap(({ path, bucket, kind }) => (kind === 'shared' ? [tagsAt(path, bucket.tags)] : [])),
    ...teamsOf(draft).map(([name, team]) => [
      ...tagsAt(['teams', name], team.tags),
      ...tagsAt(['teams', name, 'bucket'], bucketOf(team)?.tags),
    ]),
  ];
  for (const tags of resources) {
    const seen = new Map<string, string>();
    for (const { at, key, value } of tags) {
      const wrong = keyFault(key, seen.get(key.toLowerCase()));
      if (wrong !== undefined) report(at, wrong, { at: 'key' });
      seen.set(key.toLowerCase(), seen.get(key.toLowerCase()) ?? key);
      const fault = value === undefined ? undefined : valueFault(value);
      if (fault !== undefined) report(at, fault);
    }
    if (seen.size > MOST)
      report(
        tags.at(-1)!.at.slice(0, -1),
        `make ${seen.size} tags, and there is room for ${MOST}: AWS takes ${TAGS_A_RESOURCE}, and the kit adds up to ${KIT_TAGS + KEY_TAGS}`,
        { at: 'key' },
      );
  }
};

/** Letters of every script. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Tag.html */
const TAG = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;
const CHARACTERS = 'may have letters, digits, spaces and _ . : / = + - @ only';
const lengthOf = (text: string): number => [...text].length;

function keyFault(key: string, earlier: string | undefined): string | undefined {
  if (/^(aws|halcyon):/i.test(key)) return `must not begin with "${key.slice(0, key.indexOf(':') + 1)}", which is taken`;
  if (key === '' || lengthOf(key) > 128) return `must have 1 to 128 characters, not ${lengthOf(key)}`;
  if (!TAG.test(key)) return CHARACTERS;
  // The team's tag and its bucket's of one name are one tag.
  if (earlier !== undefined && earlier !== key) return `is the same tag as ${JSON.stringify(earlier)} to IAM, which ignores case`;
  return undefined;
}

function valueFault(value: string): string | undefined {
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_TagResource.html
  if (/^aws:/i.test(value)) return 'must not begin with "aws:", which is taken';
  if (lengthOf(value) > 256) return `must have at most 256 characters, not ${lengthOf(value)}`;
  return TAG.test(value) ? undefined : CHARACTERS;
}
