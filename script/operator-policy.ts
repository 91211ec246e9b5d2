// Writes docs/operator-policy.json: what `halcyon-kit policy operator` prints, for any account.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DEFAULT_BOUNDARY, operatorPolicy } from '../lib/constructs/operator-policy.js';
import { formatted } from './formatted.js';

const ANYWHERE = { partition: 'aws', accounts: ['*'], boundary: DEFAULT_BOUNDARY, made: [], existing: [], kmsKeyArns: [], topics: [] };

/** The page, formatted as the linter wants it. */
export const operatorPolicyText = (): Promise<string> => formatted('operator-policy.json', JSON.stringify(operatorPolicy(ANYWHERE)));

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(new URL('../docs/operator-policy.json', import.meta.url), await operatorPolicyText());
