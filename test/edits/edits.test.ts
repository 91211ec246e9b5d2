import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderTable } from '../../lib/io/table.js';
import type { Wire } from '../engine/support/wire.js';
import { carryOut, startGround, type Carried } from './support/carry-out.js';
import { EDITS } from './support/edit.js';

/** Every edit of the file, with builds and one-off dynos running all the time: no request is refused, no package is missed, and the file is what holds. */
let wire: Wire;
const carried = new Map<string, Carried>();
beforeAll(async () => {
  wire = await startGround();
});
afterAll(async () => {
  await wire?.stop();
  const rows = EDITS.flatMap(({ name, broken }) => {
    const one = carried.get(name);
    if (one === undefined) return [];
    const { builds, dynos, requests, refused, missing, seconds, wrong } = one;
    return [
      [
        name,
        ...[builds, dynos, requests, refused.length, missing.length].map(String),
        seconds.toFixed(0),
        wrong.length > 0 ? (broken ?? 'WRONG') : 'as in the file',
      ],
    ];
  });
  process.stdout.write(`${renderTable(['edit', 'builds', 'dynos', 'requests', 'refused', 'not found', 's', 'afterwards'], rows)}\n`);
});

const summary = ({ builds, dynos, requests, refused, missing, wrong }: Carried): string =>
  `${builds} builds, ${dynos} dynos, ${requests} requests, ${refused.length} refused, ${missing.length} not found${wrong.length > 0 ? `; ${wrong.join('; ').slice(0, 300)}` : ''}`;

describe.concurrent('an edit with builds and one-off dynos running all the time', () => {
  for (const [n, edit] of EDITS.entries()) {
    const run = edit.broken === undefined ? test : test.fails;
    run(edit.broken === undefined ? edit.name : `${edit.name} (${edit.broken})`, async () => {
      const one = await carryOut(wire, edit, `e${n}`);
      carried.set(edit.name, one);
      process.stderr.write(`${edit.name}: ${summary(one)}\n`);
      const { refused, missing, wrong } = one;
      expect({ refused: refused.slice(0, 5), missing: missing.slice(0, 5), wrong }).toEqual({ refused: [], missing: [], wrong: [] });
    });
  }
});
