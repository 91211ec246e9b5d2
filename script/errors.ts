// Writes docs/errors.md from the list of error codes.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '../lib/error-codes.js';
import { formatted } from './formatted.js';

const HEAD = `# Error codes

Made from \`lib/error-codes.ts\` by \`npm run errors\`. A command that fails prints one sentence, and with \`--json\` its code as well: \`{ "error": { "code": …, "message": … } }\`. The sentence
names what is wrong in your case; this list says what a code means in general, and what to do. The code \`bug\` is for anything that is not in the list: please report it.
`;

/** The page, formatted as the linter wants it. */
export function errorsPage(): Promise<string> {
  const sections = Object.entries(ERROR_CODES).map(([title, codes]) => {
    const rows = Object.entries(codes).map(([code, text]) => `| \`${code}\` | ${text} |`);
    return ['', `## ${title}`, '', '| code | what it means; what to do |', '| --- | --- |', ...rows, ''].join('\n');
  });
  return formatted('errors.md', [HEAD, ...sections].join(''));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(new URL('../docs/errors.md', import.meta.url), await errorsPage());
