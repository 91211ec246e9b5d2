/** Whether all variants of what takes long are tried (`npm run test:every`), in place of those whose failure would cost most (`npm test`). */
export const EVERY = process.env.HALCYON_EVERY === '1';
