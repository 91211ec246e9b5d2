export * from './config-vars.js';
export * from './digest.js';
export * from './hosted.js';
export * from './modes.js';
export * from './names.js';
export * from './secret.js';
