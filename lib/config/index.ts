export * from './derive.js';
export { loadConfig, parseConfig } from './load.js';
export type * from './model.js';
export { normalise } from './normalise.js';
export type { FileShape } from './schema.js';
