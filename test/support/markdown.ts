import { readFileSync } from 'node:fs';

/** A fenced block of a page. */
interface Block {
  readonly language: string;
  readonly text: string;
  /** The heading it stands under. */
  readonly heading: string;
  readonly line: number;
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let heading = '';
  let open: { language: string; line: number; text: string[] } | undefined;
  for (const [index, line] of page.split('\n').entries()) {
    if (line.startsWith('```')) {
      if (open === undefined) open = { language: line.slice(3), line: index + 1, text: [] };
      else {
        blocks.push({ ...open, heading, text: open.text.join('\n') });
        open = undefined;
      }
    } else if (open !== undefined) open.text.push(line);
    else if (line.startsWith('#')) heading = line.replace(/^#+ /, '');
  }
  return blocks;
}

const prose = (page: string): string => page.replace(/^```[^]*?^```/gm, '');

/** The `code` of its sentences and tables. */
export const codeOf = (page: string): string[] => [...prose(page).matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);

/** Targets of its links that are none of the web's. */
export const linksOf = (page: string): string[] =>
  [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target).filter((target) => !target.includes('://'));

/** What `#…` may name on it, by GitHub's rule. */
export const anchorsOf = (page: string): string[] =>
  [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

/** The nth block in a language under a heading of a page of the project. */
export function block(page: string, heading: string, language = 'sh', nth = 0): string {
  const all = blocksOf(readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8'));
  const found = all.filter((one) => one.heading === heading && one.language === language)[nth];
  if (found === undefined) throw new Error(`${page} has no such block under "${heading}"`);
  return found.text;
}

/** The commands of a shell block, a line each, without its remarks. */
export const linesOf = (shell: string): string[] =>
  shell
    .split('\n')
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');

/** The arguments of each `halcyon-kit …` in a shell's lines, also in pipes, in `$(…)`, behind a prompt or a setting's name. */
export function invocationsIn(shell: string): string[][] {
  return linesOf(shell.replace(/"?\$\(([^)]*)\)"?/g, '\n$1\n'))
    .flatMap((line) => line.split(/\||;|&&|>/))
    .flatMap((part) => /^(?:\$ |\w+ = )?halcyon-kit (.+)$/.exec(part.trim())?.[1] ?? [])
    .map((args) => [...args.matchAll(/'([^']*)'|"([^"]*)"|\S+/g)].map(([word, single, double]) => single ?? double ?? word));
}

/** Every line that a page shows of an output, as a pattern: keys, times, durations, versions and columns are others each time, `…` is anything. */
export const shown = (output: string): RegExp[] =>
  output
    .split('\n')
    .filter((line) => !/^(…?|\$ .*)$/.test(line))
    .map((line) => new RegExp(patternOf(line.trim())));

const patternOf = (line: string): string =>
  line
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replace(/\d{4}-\d\d-\d\dT[\d:]+\\\.\d+Z/g, '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?!\d|\\)/g, '\\d{4}-\\d\\d-\\d\\dT[\\d:]+')
    .replace(/\b\w+@\w+\b/g, '\\S+@\\S+')
    .replace(/\b\d+ (d|h|min|s)\b/g, '\\d+ (d|h|min|s)')
    .replace(/\bAKIA(\w+|…)/g, 'AKIA\\w+')
    .replace(/\bv\d+\b/g, 'v\\d+')
    .replaceAll('…', '.*')
    .replace(/ +/g, ' +');
