// Writes docs/probes.md from the list of probes.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PROBES } from '../accept/probes.plan.js';
import { formatted } from './formatted.js';

const HEAD = `# Probes

Made from \`accept/probes.plan.ts\` by \`npm run probes\`. What the kit and the sandbox go by where documents are silent, late or at odds, and some of what they do say: \`halcyon-kit accept
--probes\` asks it of an account, in a minute or two and for a few cents. How each asks is in \`accept/ask.client.ts\`, under the same name. The sandbox gives every one of these answers,
which a test holds, so an assumption that is corrected here fails the tests until the sandbox is corrected too.

None of them has been confirmed on a real account yet. Who runs them there and sees an answer of another kind: please report it. One that is as assumed gets its date in the list.

| probe | question | assumed answer | source | last confirmed on |
| --- | --- | --- | --- | --- |
`;

/** The page, formatted as the linter wants it. */
export function probesPage(): Promise<string> {
  const rows = Object.entries(PROBES).map(
    ([name, { question, assumed, source, confirmed = 'never' }]) =>
      `| \`${name}\` | ${question} | \`${assumed}\` | ${source} | ${confirmed} |`,
  );
  return formatted('probes.md', `${HEAD}${rows.join('\n')}\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(new URL('../docs/probes.md', import.meta.url), await probesPage());
