import { afterAll } from 'vitest';

// Files that share a process (vitest.config.ts) find the environment as it was: a sandbox's authorities, gone with it, are a warning of Node's in every child.
const [env, cwd] = [{ ...process.env }, process.cwd()];

afterAll(() => {
  process.env = env;
  process.chdir(cwd);
});
