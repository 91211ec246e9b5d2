import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { expect, test } from 'vitest';
import { createProgram } from '../../lib/commands/program.js';
import { OUTPUTS, schemaFiles } from '../../script/shapes/commands.js';
import { OTHERS, requireShape } from '../support/outputs.js';

const dir = fileURLToPath(new URL('../../schema/output', import.meta.url));
const files = schemaFiles();

test('schema/output/ is what `npm run schema` makes', () => {
  expect(readdirSync(dir).sort()).toEqual(Object.keys(files).sort());
  for (const [name, text] of Object.entries(files)) expect(readFileSync(join(dir, name), 'utf8'), name).toBe(text);
});

test('every command with --json has a shape, but for those that are said to have none', () => {
  const program = createProgram(async () => {}, '0.0.0');
  const names = program.commands
    .flatMap((command) => (command.commands.length > 0 ? command.commands : [command]))
    .map((command) => command.name());
  expect([...names, 'accept', 'error'].filter((name) => !OTHERS.includes(name)).sort()).toEqual(Object.keys(OUTPUTS).sort());
});

test('each is a JSON Schema that tells a right output from a wrong one', () => {
  const ajv = addFormats.default(new Ajv({ strict: false }));
  const valid = ajv.compile(JSON.parse(files['doctor.v1.schema.json'] ?? ''));
  const finding = { name: 'n', severity: 'broken', subject: 's', message: 'm', looksLike: 'l', fix: 'f' };
  expect(valid({ ok: false, findings: [finding] })).toBe(true);
  expect(valid({ ok: false, findings: [{ ...finding, severity: 'bad' }] })).toBe(false);
  expect(valid({ ok: false, findings: [], secret: 'x' })).toBe(false);
  for (const [name, text] of Object.entries(files)) if (!name.startsWith('doctor.')) ajv.compile(JSON.parse(text));
  expect(() => requireShape(['doctor', '--json'], { ok: true })).toThrow(/not as schema/);
  requireShape(['doctor', '--json'], { error: { code: 'bug', message: 'm' } });
});
