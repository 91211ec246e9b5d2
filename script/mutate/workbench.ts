import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fault } from './fault.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Copies of the tree as it stands, to be broken one fault at a time. The tree itself is never touched. */
export class Workbench {
  readonly #home = mkdtempSync(join(tmpdir(), 'halcyon-mutate-'));
  readonly #free: string[] = [];

  constructor(copies: number) {
    const files = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root, encoding: 'utf8' })
      .split('\0')
      .filter((file) => file !== '' && existsSync(join(root, file)));
    for (let number = 1; number <= copies; number += 1) {
      const copy = join(this.#home, `${number}`);
      for (const file of files) {
        mkdirSync(dirname(join(copy, file)), { recursive: true });
        cpSync(join(root, file), join(copy, file), { verbatimSymlinks: true });
      }
      // What is installed is the same for all, and so is the sandbox's Python.
      for (const shared of ['node_modules', '.cache/sandbox']) {
        if (!existsSync(join(root, shared))) continue;
        mkdirSync(dirname(join(copy, shared)), { recursive: true });
        symlinkSync(join(root, shared), join(copy, shared));
      }
      this.#free.push(copy);
    }
  }

  /** Do `work` in a copy of its own, with `fault` in it. */
  async with<T>(fault: Fault | undefined, work: (copy: string) => Promise<T>): Promise<T> {
    const copy = this.#free.pop();
    if (copy === undefined) throw new Error('more work at a time than there are copies');
    const file = fault && join(copy, fault.file);
    const whole = file && readFileSync(file, 'utf8');
    try {
      if (file !== undefined && whole !== undefined) writeFileSync(file, broken(fault as Fault, whole));
      return await work(copy);
    } finally {
      if (file !== undefined && whole !== undefined && existsSync(copy)) writeFileSync(file, whole);
      this.#free.push(copy);
    }
  }

  remove(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}

/** A file's text with the fault in it. @throws where what it replaces is not there exactly once. */
export function broken({ name, file, text, replacement }: Fault, whole: string): string {
  const parts = whole.split(text);
  if (parts.length !== 2) throw new Error(`fault ${name}: its text is ${parts.length - 1} times in ${file}, not once`);
  return parts.join(replacement);
}
