// Writes schema/halcyon.schema.json, which editors complete halcyon.yaml by, and schema/output/, what --json prints.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { schemaText } from '../lib/config/schema.js';
import { schemaFiles } from './shapes/commands.js';

const at = (path: string) => new URL(`../schema/${path}`, import.meta.url);
rmSync(at('output'), { recursive: true, force: true });
mkdirSync(at('output'), { recursive: true });
writeFileSync(at('halcyon.schema.json'), schemaText());
for (const [name, text] of Object.entries(schemaFiles())) writeFileSync(at(`output/${name}`), text);
