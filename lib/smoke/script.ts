import type { Attempt } from './proofs.plan.js';

/**
 * Scripts for one-off dynos. Heroku tells no exit code of a dyno, so each line of ours carries a mark of this run, and the last
 * one the status; a missing last line is a failure.
 */

/** Where haskell-on-heroku leaves the S3 functions it itself uses. */
const BASHMENOT = '/app/.buildpack/lib/halcyon/lib/bashmenot/src.sh';

/** Run `attempts` with Halcyon's own S3 functions and the app's own config vars; a line `MARK N OUTCOME` each. */
export function attemptScript(attempts: readonly Attempt[], mark: string): string {
  return `
mark=${quote(mark)}
export BASHMENOT_NO_SELF_UPDATE=1 BASHMENOT_CURL_RETRIES=1
export BASHMENOT_S3_ENDPOINT="$HALCYON_S3_ENDPOINT"
export BASHMENOT_AWS_ACCESS_KEY_ID="$HALCYON_AWS_ACCESS_KEY_ID" BASHMENOT_AWS_SECRET_ACCESS_KEY="$HALCYON_AWS_SECRET_ACCESS_KEY"
bucket="\${HALCYON_S3_BUCKET%%/*}"
source ${quote(BASHMENOT)} || { echo "$mark end 90"; exit 0; }
file=$(mktemp) && echo smoke >"$file"
try() {
  number=$1; shift
  said=$( ( "$@" ) 2>&1 ); status=$?
  outcome=$(sed -n 's/.*\\.\\.\\. *//p' <<<"$said" | head -n 1)
  echo "$mark $number \${outcome:-no answer, status $status}"
}
${attempts.map((attempt, number) => `try ${number} ${call(attempt)}`).join('\n')}
echo "$mark end 0"
`.trim();
}

function call({ operation, key, acl }: Attempt): string {
  switch (operation) {
    case 'get':
      return `s3_download "$bucket" ${quote(key)} "$file.got"`;
    case 'list':
      return `s3_list "$bucket" ${quote(key)}`;
    case 'put':
      return `s3_upload "$file" "$bucket" ${quote(key)} ${quote(acl ?? 'private')}`;
    case 'delete':
      return `s3_delete "$bucket" ${quote(key)}`;
  }
}

/** In mode `public`: which of our config vars a dyno sees. */
export function publicScript(names: readonly string[], mark: string): string {
  return `
mark=${quote(mark)}
found=
for name in ${names.map(quote).join(' ')}; do [ -z "\${!name:-}" ] || found="$found $name"; done
echo "$mark 0 \${found:- none}"
echo "$mark end 0"
`.trim();
}

/** Build the app on a dyno, which uploads what it made. */
export function buildScript(mark: string): string {
  return `
mark=${quote(mark)}
build; echo "$mark end $?"
`.trim();
}

/** What a script's output says: the outcomes by number, and the status; no status means that it never ended. */
export function readMarks(output: string, mark: string): { outcomes: Map<number, string>; status?: number } {
  const outcomes = new Map<number, string>();
  let status: number | undefined;
  for (const line of output.split(/\r?\n/)) {
    const match = line.match(new RegExp(`${mark} (end|\\d+) (.*)$`));
    if (!match) continue;
    if (match[1] === 'end') status = Number(match[2]);
    else outcomes.set(Number(match[1]), (match[2] ?? '').trim());
  }
  return { outcomes, ...(status === undefined ? {} : { status }) };
}

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
