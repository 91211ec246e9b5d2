// npm run sandbox: installs what a fresh clone lacks, then runs sandbox/main.ts in this very process, so that signals reach it.
import { setUp } from './setup.mjs';

setUp({ build: false });
const { register } = await import('tsx/esm/api');
register();
const { main } = await import('../sandbox/main.ts');
process.exit(await main(process.argv.slice(2)));
