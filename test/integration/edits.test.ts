import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { carryOut, kitFinished, startGround } from '../edits/support/carry-out.js';
import { EDITS } from '../edits/support/edit.js';
import type { Wire } from '../engine/support/wire.js';
import { EVERY } from '../support/every.js';

/** Of the edits of `npm run test:edits` the one that moves most, or with HALCYON_EVERY=1 one of each kind. */
let wire: Wire;
beforeAll(async () => {
  wire = await startGround();
});
afterAll(() => wire?.stop());

describe.concurrent('an edit with builds and one-off dynos running all the time: no request is refused, no package is missed', () => {
  for (const [n, edit] of EDITS.filter(({ sample }) => sample)
    .slice(0, EVERY ? undefined : 1)
    .entries())
    test(edit.name, async () => {
      const { builds, dynos, refused, missing, wrong } = await carryOut(wire, edit, `s${n}`, kitFinished);
      expect({ refused: refused.slice(0, 5), missing: missing.slice(0, 5), wrong }).toEqual({ refused: [], missing: [], wrong: [] });
      expect(Math.min(builds, dynos)).toBeGreaterThan(1);
    });
});
