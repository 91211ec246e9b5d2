import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium, type Browser, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pageOf } from '../../lib/cli/page.js';
import { writeWhole } from '../../lib/cli/write-file.js';
import { fleetGlance } from '../support/fleet.js';

/** The page as a browser has it, from disk. Without a Chromium at hand (`HALCYON_CHROMIUM` names another) this is skipped. */
const executablePath = [process.env.HALCYON_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find(
  (path) => path !== undefined && existsSync(path),
);
if (executablePath === undefined)
  console.warn('the page is not tried in a browser: there is no Chromium here (HALCYON_CHROMIUM names one)');
/** A folder for pictures of it, for people to look at. */
const pictures = process.env.HALCYON_PICTURES;

describe.skipIf(executablePath === undefined)('the page of status --html', () => {
  let browser: Browser;
  let dir = '';
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'halcyon-page-'));
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** It, opened; what went wrong in it, and what it asked the network for. */
  async function open(apps: number, options: Parameters<Browser['newPage']>[0] = {}, change?: (name: string) => string) {
    const file = join(dir, `${apps}.html`);
    await writeWhole(file, await pageOf(fleetGlance(apps, change)), 0o600);
    const page = await browser.newPage(options);
    const wrong: string[] = [];
    const asked: string[] = [];
    page.on('console', (message) => ['error', 'warning'].includes(message.type()) && wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(error.message));
    page.on('request', (request) => asked.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    return { page, wrong, asked, file };
  }
  const rows = (page: Page) => page.locator('#app-table tbody tr').count();
  const took = (page: Page) =>
    page.evaluate(() => (performance.getEntriesByType('navigation')[0] as unknown as { loadEventEnd: number }).loadEventEnd);

  test.each([5, 500, 10_000])('of %i apps opens, filters by typing, and asks nobody for anything', async (apps) => {
    const { page, wrong, asked, file } = await open(apps);
    expect(await page.locator('#summary').innerText()).toContain(`${apps.toLocaleString('en')} apps`);
    expect(await rows(page)).toBe(Math.min(apps, 200));
    expect(await page.locator('#tree [role=treeitem]').count()).toBeGreaterThan(3);
    await page.locator('#filter').fill('t0-app-1 read-only');
    expect(await page.locator('#count').innerText()).toBe(`${apps > 10 ? 10 : 1} of ${apps.toLocaleString('en')} apps`);
    await page.locator('#filter').fill('');
    const filtering = await page.evaluate(() => {
      const input = document.querySelector('#filter') as unknown as { value: string; dispatchEvent(event: Event): void };
      const started = performance.now();
      for (const typed of ['t', 't4', 't4-', 't4-app']) {
        input.value = typed;
        input.dispatchEvent(new Event('input'));
      }
      return (performance.now() - started) / 4;
    });
    console.info(
      `${apps} apps: ${statSync(file).size} bytes, loaded in ${Math.round(await took(page))} ms, a letter takes ${filtering.toFixed(1)} ms`,
    );
    expect([wrong, asked.length]).toEqual([[], 1]);
    await page.close();
  });

  test('is walked by keys alone, and says where one is', async () => {
    const { page, wrong } = await open(500);
    const focused = () => page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? '');
    await page.locator('#tree [tabindex="0"]').focus();
    expect(await focused()).toMatch(/^deployment halcyon, 500 apps, broken$/);
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Home');
    await page.keyboard.press('ArrowRight');
    expect(await focused()).toMatch(/^account 111122223333/);
    const before = await page.locator('#tree [role=treeitem]').count();
    await page.keyboard.press('ArrowLeft');
    expect(await page.locator('#tree [role=treeitem]').count()).toBeLessThan(before);
    await page.keyboard.press('Enter');
    expect(await page.locator('#tree [role=treeitem]').count()).toBe(before);
    // Down to an app, which is looked for in the table.
    for (const kind of ['bucket', 'team', 'principal', 'key', 'app']) {
      for (let tries = 0; tries < 3 && !(await focused()).startsWith(kind); tries += 1) await page.keyboard.press('ArrowRight');
      expect(await focused()).toMatch(new RegExp(`^${kind} `));
    }
    const app = /^app (\S+),/.exec(await focused())?.[1] ?? '';
    await page.keyboard.press('Enter');
    expect(await page.locator('#filter').inputValue()).toBe(app);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test('shows what is in each bucket, by kind; of many buckets when asked', async () => {
    for (const [apps, shown] of [
      [5, 2],
      [500, 0],
    ] as const) {
      const { page, wrong } = await open(apps);
      expect(await page.locator('#contents table:visible').count()).toBe(shown);
      if (shown === 0)
        for (const summary of ['> details > summary', '> details > details >> nth=0 >> summary'])
          await page.locator(`#contents ${summary}`).click();
      const first = page.locator('#contents table:visible').first();
      expect(await first.locator('th').allInnerTexts()).toContain('asked for by no app');
      expect((await first.locator('tbody tr').allInnerTexts()).map((text) => text.split(' ')[0])).toEqual([
        'ghc',
        'cabal',
        'sandbox',
        'build',
        'install',
      ]);
      expect(await page.locator('#bucket-table tbody tr').first().innerText()).toMatch(/\d+\s+[\d.]+ GB\s+[\d.]+ [MG]B$/);
      expect(wrong).toEqual([]);
      await page.close();
    }
  });

  test('shows what names say as text, whatever it is', async () => {
    const odd = '</script><img src=x onerror=alert(1)><b>bold</b>\u2028';
    const { page, wrong } = await open(5, {}, (text) => `${text} ${odd}`);
    expect(await page.locator('#findings').innerText()).toContain('</script><img src=x onerror=alert(1)><b>bold</b>');
    expect(await page.locator('#findings img, #findings b:text-is("bold")').count()).toBe(0);
    expect(wrong).toEqual([]);
    await page.close();
  });

  test.each([
    ['light', 1280],
    ['dark', 1280],
    ['light', 390],
    ['dark', 390],
  ] as const)('fits in the scheme %s at a width of %i: nothing wider than it, nothing too faint', async (colorScheme, width) => {
    const { page } = await open(500, { colorScheme, viewport: { width, height: 900 } });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    const faint = await page.evaluate(() => {
      const light = (colour: string) => {
        const [r = 0, g = 0, b = 0] = (colour.match(/[\d.]+/g) ?? [])
          .map(Number)
          .map((part) => (part / 255 <= 0.03928 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const back = (element: Element | null): string => {
        const colour = element === null ? 'rgb(255,255,255)' : getComputedStyle(element).backgroundColor;
        return element !== null && /, 0\)$|transparent/.test(colour) ? back(element.parentElement) : colour;
      };
      return [...document.querySelectorAll('p, td, th, li, h1, h2, code, button, caption, footer')].flatMap((element) => {
        const [a, b] = [light(getComputedStyle(element).color), light(back(element))].sort((x, y) => y - x) as [number, number];
        return (a + 0.05) / (b + 0.05) < 4.5 ? [`${element.tagName}.${element.className}: ${element.textContent?.slice(0, 40)}`] : [];
      });
    });
    expect([...new Set(faint)]).toEqual([]);
    if (pictures !== undefined) await page.screenshot({ path: join(pictures, `${colorScheme}-${width}.png`), fullPage: true });
    await page.close();
  });

  test('prints all of its rows', async () => {
    const { page } = await open(500);
    await page.evaluate(() => dispatchEvent(new Event('beforeprint')));
    expect(await rows(page)).toBe(500);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('nav').isVisible()).toBe(false);
    if (pictures !== undefined) await page.pdf({ path: join(pictures, 'page.pdf') });
    await page.close();
  });
});
