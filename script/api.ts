// Makes docs/halcyon-kit.api.md from the package: a change of what others build on is then seen in a review.
import { rmSync } from 'node:fs';
import { compareApi } from './api-report.js';
import { installPacked } from './packed.js';

const { directory, source } = installPacked();
try {
  process.stdout.write(`${compareApi(source, { write: true }).said.join('\n')}\n`);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
