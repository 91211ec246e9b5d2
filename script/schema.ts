// Writes schema/halcyon.schema.json, which editors complete halcyon.yaml by.
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { schemaText } from '../lib/config/schema.js';

const file = fileURLToPath(new URL('../schema/halcyon.schema.json', import.meta.url));
mkdirSync(new URL('../schema', import.meta.url), { recursive: true });
writeFileSync(file, schemaText());
