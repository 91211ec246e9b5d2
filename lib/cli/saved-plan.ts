import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { KitError } from '../errors.js';
import { changesDigest } from './changes.plan.js';
import type { ChangeOptions } from './command.js';
import { writeWhole } from './write-file.js';

/** What `plan --out` writes: of whom, from which file, and every change as a sentence. No secrets: they are fingerprints there. */
const SAVED = z.strictObject({
  format: z.literal('halcyon-kit plan'),
  version: z.literal(1),
  madeAt: z.string(),
  teams: z.array(z.string()),
  prune: z.boolean(),
  forget: z.array(z.string()),
  /** Of what the file means. */
  file: z.string(),
  /** Of the changes. */
  digest: z.string(),
  changes: z.array(z.string()),
});
export type SavedPlan = z.infer<typeof SAVED>;

/** A team's name has neither. */
export const isPlanFile = (name: string): boolean => /[./]/.test(name);

export async function savePlan(path: string, plan: Pick<SavedPlan, 'teams' | 'prune' | 'forget' | 'file' | 'changes'>): Promise<void> {
  const saved: SavedPlan = {
    ...{ format: 'halcyon-kit plan', version: 1, madeAt: new Date().toISOString() },
    ...{ ...plan, digest: changesDigest(plan.changes) },
  };
  await writeWhole(path, `${JSON.stringify(saved, null, 2)}\n`, 0o600);
}

/** @throws KitError `plan-unusable`. */
export async function readPlan(path: string, names: readonly string[], options: ChangeOptions & { prune?: boolean }): Promise<SavedPlan> {
  if (names.length > 1 || options.all || options.prune || options.forget !== undefined)
    throw new KitError('options-conflict', `${path} says which teams it is of, and whether it prunes: give it alone`);
  try {
    const saved = SAVED.parse(JSON.parse(await readFile(path, 'utf8')));
    if (changesDigest(saved.changes) === saved.digest) return saved;
  } catch (cause) {
    const other = cause instanceof z.ZodError || cause instanceof SyntaxError ? 'it is not one of plan --out' : (cause as Error).message;
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : other;
    throw new KitError('plan-unusable', `${path} cannot be used as a plan: ${why}; make one with "halcyon-kit plan --out ${path}"`, {
      cause,
    });
  }
  throw new KitError('plan-unusable', `${path} was changed after it was written; make a new plan with "halcyon-kit plan --out ${path}"`);
}

/** So many differences are named in the message; `--json` has all. */
const NAMED = 20;

/** @throws KitError `plan-outdated`, where something else would be done now than was agreed to. */
export function requireSame(saved: SavedPlan, now: Pick<SavedPlan, 'file' | 'changes'>): void {
  const again = 'nothing was changed; look at a new plan';
  if (saved.file !== now.file)
    throw new KitError('plan-outdated', `the file says something else than when the plan was made (${saved.madeAt}); ${again}`);
  const [was, is] = [new Set(saved.changes), new Set(now.changes)];
  const added = now.changes.filter((change) => !was.has(change));
  const gone = saved.changes.filter((change) => !is.has(change));
  const lines = [...gone.map((text) => `- ${text}`), ...added.map((text) => `+ ${text}`)];
  if (changesDigest(now.changes) === saved.digest) return;
  const shown = lines.length === 0 ? ['the same changes in another order'] : lines.slice(0, NAMED);
  const more = lines.length > NAMED ? [`… and ${lines.length - NAMED} more`] : [];
  const text = [`the world moved since the plan was made (${saved.madeAt}); ${again}:`, ...shown, ...more].join('\n  ');
  throw new KitError('plan-outdated', text, { details: { added, gone } });
}
