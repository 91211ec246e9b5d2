import type { Rule } from '../front/rule.js';

/** What the front adds to MiniStack, outermost first. */
export const RULES: readonly Rule[] = [];
