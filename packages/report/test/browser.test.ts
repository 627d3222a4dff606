import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { pathToFileURL } from 'node:url';
import { chromiumPath } from '@winnow/testkit';
import { type Browser, type Page, chromium } from 'playwright-core';
import { reportPage, runPage, sparsityPage } from '../src/index';
import { exampleData, exampleRun, exampleTickets } from './example';

const executablePath = chromiumPath();

if (executablePath === undefined) {
  test.skip('SKIPPED: there is no Chromium here (apt-get install chromium)', () => undefined);
} else {
  describe('in Chromium', () => {
    const folder = mkdtempSync(join(tmpdir(), 'winnow-page-'));
    const urlOf = (name: string) => pathToFileURL(join(folder, name)).href;
    /** Where to leave pictures for people to look at. */
    const pictures = process.env['WINNOW_SCREENSHOTS'];
    let browser: Browser;

    beforeAll(async () => {
      writeFileSync(join(folder, 'report.html'), reportPage(exampleData()));
      writeFileSync(join(folder, 'run.html'), runPage(exampleRun()));
      writeFileSync(join(folder, 'tickets.html'), sparsityPage(exampleTickets()));
      browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    });
    afterAll(async () => {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const screens = {
      desktop: { viewport: { width: 1280, height: 900 } },
      phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
    } as const;

    /** Opens the page, does something, and demands that nothing went wrong and nothing was fetched. */
    async function onPage(
      screen: keyof typeof screens,
      colorScheme: 'light' | 'dark',
      work: (page: Page) => Promise<void>,
      name = 'report.html',
    ): Promise<void> {
      const url = urlOf(name);
      const context = await browser.newContext({ ...screens[screen], colorScheme });
      const page = await context.newPage();
      const troubles: string[] = [];
      page.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) troubles.push(message.text());
      });
      page.on('pageerror', (error) => troubles.push(String(error)));
      page.on('request', (request) => {
        if (request.url() !== url && !request.url().startsWith('data:'))
          troubles.push(`fetched ${request.url()}`);
      });
      await page.goto(url);
      await work(page);
      if (pictures !== undefined) {
        await page.screenshot({
          path: join(pictures, `${name}-${screen}-${colorScheme}.png`),
          fullPage: true,
        });
      }
      await context.close();
      expect(troubles).toEqual([]);
    }

    /** Nothing sticks out of the page, and no table out of its place: whatever opens is open. */
    const expectFitting = async (page: Page, screen: keyof typeof screens) => {
      const tooWide = await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true;
        return [...document.querySelectorAll('.scroll')]
          .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
          .map((table) => table.getAttribute('aria-label'));
      });
      expect(tooWide).toEqual([]);
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(width).toBeLessThanOrEqual(screens[screen].viewport.width);
    };

    /** Colours of a chart's pixels that are not its ground. */
    const coloursIn = (page: Page, selector: string) =>
      page
        .locator(`${selector} canvas`)
        .first()
        .evaluate((canvas) => {
          if (!(canvas instanceof HTMLCanvasElement)) return 0;
          const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
          const seen = new Set<number>();
          for (let at = 0; at < data.length; at += 4) {
            if ((data[at + 3] ?? 0) > 0)
              seen.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
          }
          return seen.size;
        });

    test.each([
      ['desktop', 'light'],
      ['desktop', 'dark'],
      ['phone', 'light'],
      ['phone', 'dark'],
    ] as const)('it draws on a %s screen, %s, and nothing sticks out', async (screen, scheme) => {
      await onPage(screen, scheme, async (page) => {
        expect(await page.title()).toBe('Comparison: <example> & more');
        expect(await coloursIn(page, '#curve')).toBeGreaterThan(10);
        expect(await page.locator('#kept-maps figure').count()).toBe(4);
        expect(await coloursIn(page, '#kept-maps')).toBeGreaterThan(5);
        expect(await page.locator('#figure-list figure').count()).toBe(3);
        await expectFitting(page, screen);
      });
    });

    test.each([
      ['desktop', 'light'],
      ['phone', 'dark'],
    ] as const)('a single run is drawn on a %s screen, %s, without ranks', async (screen, scheme) => {
      await onPage(
        screen,
        scheme,
        async (page) => {
          expect(await coloursIn(page, '#loss')).toBeGreaterThan(5);
          expect(await page.locator('a[href="proof/certificate.html"]').count()).toBe(1);
          expect(await page.locator('#confusion-maps figure').count()).toBe(2);
          expect(await coloursIn(page, '#confusion-maps')).toBeGreaterThan(5);
          expect(await page.locator('#pictures img').count()).toBe(2);
          const loaded = await page
            .locator('#pictures img')
            .first()
            .evaluate((image) => image instanceof HTMLImageElement && image.naturalWidth > 0);
          expect(loaded).toBe(true);
          const chart = page.locator('#loss');
          expect(await chart.getAttribute('aria-label')).toBe('Loss of search by step');
          await page
            .locator('#loss-controls')
            .getByLabel(/^Phase/)
            .selectOption('retrain');
          expect(await chart.getAttribute('aria-label')).toBe('Loss of retrain by step');
          expect(await page.getByText(/\b(?:rank|place)\b/i).count()).toBe(0);
          await expectFitting(page, screen);
        },
        'run.html',
      );
    });

    test.each(['desktop', 'phone'] as const)(
      'the first %s screen says what to choose, in words that need no paper',
      async (screen) => {
        await onPage(screen, 'light', async (page) => {
          const { height } = screens[screen].viewport;
          const advice = page.locator('.advice').first();
          const box = await advice.boundingBox();
          expect((box?.y ?? height) + (box?.height ?? 0)).toBeLessThanOrEqual(height);
          expect(await advice.innerText()).toMatch(
            /^To halve the model \(2×\), take upop: 81\.0 ± 1\.0 % right against/,
          );
          const shown = await page.evaluate(
            (bottom) =>
              [...document.querySelectorAll('h1, h2, h3, p, a, th, label, select')]
                .filter((element) => element.getBoundingClientRect().top < bottom)
                .map((element) =>
                  // Of a choice only what is chosen is seen.
                  element instanceof HTMLSelectElement
                    ? element.value
                    : [...element.childNodes]
                        .filter((node) => !(node instanceof HTMLSelectElement))
                        .map((node) => node.textContent)
                        .join(' '),
                )
                .join(' '),
            height,
          );
          expect(shown).not.toMatch(
            /\b(?:MACs|Pareto|top-?1|retrain\w*|seeds?|budgets?|tracks?|ledger|sites?|compressible|baseline|deviation|p50)\b/i,
          );
        });
      },
    );

    test.each([
      ['desktop', 'light'],
      ['phone', 'dark'],
    ] as const)(
      'tickets are drawn on a %s screen, %s, and the curves follow the task',
      async (screen, scheme) => {
        await onPage(
          screen,
          scheme,
          async (page) => {
            expect(await page.locator('#share-maps figure').count()).toBe(2);
            expect(await coloursIn(page, '#share-maps')).toBeGreaterThan(5);
            const chart = page.locator('#score-chart');
            expect(await coloursIn(page, '#score-chart')).toBeGreaterThan(10);
            expect(await chart.getAttribute('aria-label')).toBe('top1 on category by sparsity');
            await page.locator('#score-controls').getByLabel('Task').selectOption('names');
            expect(await chart.getAttribute('aria-label')).toBe('top1 on names by sparsity');
            await expectFitting(page, screen);
          },
          'tickets.html',
        );
      },
    );

    test('the charts follow what is chosen', async () => {
      await onPage('desktop', 'light', async (page) => {
        const curve = page.locator('#curve');
        expect(await curve.getAttribute('aria-label')).toBe(
          'right answers, % after all training against × smaller of emoji, the same training for all',
        );
        const before = await page.locator('#curve canvas').first().screenshot();
        await page
          .locator('#curve-controls')
          .getByLabel(/^Against/)
          .selectOption('Latency p50, batch 1');
        await page
          .locator('#curve-controls')
          .getByLabel(/^Training/)
          .selectOption('each with its own search');
        expect(await curve.getAttribute('aria-label')).toBe(
          'right answers, % after all training against Latency p50, batch 1 of emoji, each with its own search',
        );
        const after = await page.locator('#curve canvas').first().screenshot();
        expect(after.equals(before)).toBe(false);
        await page
          .locator('#curve-controls')
          .getByLabel(/^Score/)
          .selectOption('right after the cut');
        expect(await curve.getAttribute('aria-label')).toBe(
          'right answers, % right after the cut against Latency p50, batch 1 of emoji, each with its own search',
        );
        expect((await page.locator('#curve canvas').first().screenshot()).equals(after)).toBe(false);
        await page
          .locator('#kept-controls')
          .getByLabel(/^Budget/)
          .selectOption('4x');
        expect(await page.locator('#kept-maps figure').count()).toBe(3);
      });
    });

    test('a point says what it is, by its words and not as markup', async () => {
      await onPage('desktop', 'light', async (page) => {
        const canvas = page.locator('#curve canvas').first();
        const box = await canvas.boundingBox();
        if (box === null) throw new Error('expected the chart');
        const tip = page.locator('#curve', { hasText: /right answers, % \d+\.\d+ ± / });
        // Somewhere on the chart there is a point to find.
        for (let x = 60; x < box.width && (await tip.count()) === 0; x += 6) {
          for (let y = 30; y < 330 && (await tip.count()) === 0; y += 6) {
            await page.mouse.move(box.x + x, box.y + y);
          }
        }
        expect(await tip.count()).toBe(1);
        expect(await page.locator('#curve b').count()).toBe(0);
      });
    });

    test('tables open with the keyboard, and their regions have names', async () => {
      await onPage('desktop', 'light', async (page) => {
        const summary = page.locator('#results summary').first();
        await summary.focus();
        await page.keyboard.press('Enter');
        expect(await page.locator('details[open]').count()).toBe(1);
        for (const region of await page.getByRole('region').all()) {
          expect(await region.getAttribute('aria-label')).toMatch(/\S/);
        }
      });
    });
  });
}
