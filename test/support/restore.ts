import { afterAll } from 'vitest';
import { forgetSecrets } from '../../lib/io/redaction.js';

// Files that share a process (vitest.config.ts) find the environment as it was: a sandbox's authorities, gone with it, are a warning of Node's in every child.
const [env, cwd] = [process.env, process.cwd()];
const before = { ...env };

afterAll(() => {
  // The object that loaded modules hold, not another.
  process.env = env;
  for (const name of Object.keys(env)) if (!(name in before)) delete env[name];
  Object.assign(env, before);
  process.chdir(cwd);
  forgetSecrets();
});
