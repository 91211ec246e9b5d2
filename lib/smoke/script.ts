import { AS_EXPECTED, type ExpectedConfigVars } from './proofs.plan.js';
import type { Attempt } from './requests.plan.js';

/**
 * Scripts for one-off dynos. Heroku tells no exit code of a dyno, so each line of ours carries a mark of this run, and the last
 * one the status; a missing last line is a failure.
 */

/** Where haskell-on-heroku leaves Halcyon, whose functions these are. */
const HALCYON = '/app/.buildpack/lib/halcyon/src.sh';

/**
 * Look at our config vars (`MARK seen …`), then make the attempts as Halcyon makes its requests, with what it reads from the dyno's
 * environment (`MARK N OUTCOME` each).
 */
export const dynoScript = (mark: string, expected: ExpectedConfigVars, attempts: readonly Attempt[]): string =>
  `
mark=${quote(mark)}
seen=
see() {
  local state=unset
  [ -z "\${!1:-}" ] || state=\${2:+other}
  [ "\${!1:-}" = "\${2-\${!1:-?}}" ] || seen="$seen\${seen:+, }$1 \${state:-set}"
}
${Object.entries(expected)
  .map(([name, value]) => `see ${name} ${value === true ? '' : quote(value ?? '')}`.trimEnd())
  .join('\n')}
echo "$mark seen \${seen:-${AS_EXPECTED}}"
${attempts.length === 0 ? '' : tries(attempts)}
echo "$mark end 0"
`.trim();

const tries = (attempts: readonly Attempt[]): string =>
  `
export HALCYON_NO_SELF_UPDATE=1 BASHMENOT_CURL_RETRIES=1 HALCYON_CACHE=$(mktemp -d)
source ${quote(HALCYON)} && set_halcyon_vars || { echo "$mark end 90"; exit 0; }
export BASHMENOT_S3_ENDPOINT="$HALCYON_S3_ENDPOINT"
export BASHMENOT_AWS_ACCESS_KEY_ID="$HALCYON_AWS_ACCESS_KEY_ID" BASHMENOT_AWS_SECRET_ACCESS_KEY="$HALCYON_AWS_SECRET_ACCESS_KEY"
bucket="\${HALCYON_S3_BUCKET%%/*}"
file="$HALCYON_CACHE/file" && echo smoke >"$file"
archive() { cp "$file" "$HALCYON_CACHE/$2" && upload_cached_file "$1" "$2"; }
try() {
  number=$1; shift
  said=$( ( "$@" ) 2>&1 ); status=$?
  outcome=$(sed -n 's/.*\\.\\.\\. *//p' <<<"$said" | head -n 1)
  [ -n "$said" ] || [ "$status" != 0 ] || outcome='no request'
  echo "$mark $number \${outcome:-no answer, status $status}"
}
${attempts.map((attempt, number) => `try ${number} ${call(attempt)}`).join('\n')}
`.trim();

function call({ operation, key, acl, aclOfApp }: Attempt): string {
  const [directory, name] = key.split('/').slice(-2).map(quote);
  switch (operation) {
    case 'get':
      return `s3_download "$bucket" ${quote(key)} "$file.got"`;
    case 'list':
      return `s3_list "$bucket" ${quote(key)}`;
    case 'put':
      return `s3_upload "$file" "$bucket" ${quote(key)} ${aclOfApp ? '"$HALCYON_S3_ACL"' : quote(acl ?? '')}`;
    case 'delete':
      return `s3_delete "$bucket" ${quote(key)}`;
    case 'archive':
      return `archive ${directory} ${name}`;
    case 'clean':
      return `delete_private_stored_file ${directory} ${name}`;
  }
}

/** Build the app on a dyno, which uploads what it made. */
export const buildScript = (mark: string): string =>
  `
mark=${quote(mark)}
build; echo "$mark end $?"
`.trim();

/** What a script's output says; no status means that it never ended. */
export interface Marks {
  readonly outcomes: ReadonlyMap<number, string>;
  /** Of our config vars. */
  readonly seen?: string;
  readonly status?: number;
}

export function readMarks(output: string, mark: string): Marks {
  const outcomes = new Map<number, string>();
  let seen: string | undefined;
  let status: number | undefined;
  for (const line of output.split(/\r?\n/)) {
    const [, what, said = ''] = line.match(new RegExp(`${mark} (end|seen|\\d+) (.*)$`)) ?? [];
    if (what === 'end') status = Number(said);
    else if (what === 'seen') seen = said.trim();
    else if (what !== undefined) outcomes.set(Number(what), said.trim());
  }
  return { outcomes, seen, status };
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
