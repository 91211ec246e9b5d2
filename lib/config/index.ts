export * from './derive.js';
export { loadConfig, parseConfig } from './load.js';
export type * from './model.js';
