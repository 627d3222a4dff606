import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type DualEncoderConfig, type TensorTree, disposeTree, modelOf, uploadTree } from '@winnow/core';
import { wordTokenizer } from '@winnow/data';
import { saveModel } from '@winnow/formats';
import { chromiumPath } from '@winnow/testkit';
import { type Browser, type Page, chromium } from 'playwright-core';
import sharp from 'sharp';
import { predictPictures, writeDemo } from '../src/index';
import { clip, plain, randomParameters } from './cut-models';
import { provedModel } from './proved-model';

const executablePath = chromiumPath();
const root = await provedModel();
const folder = await mkdtemp(join(tmpdir(), 'winnow-demo-page-'));
const at = (...path: string[]) => join(root, ...path);
const MINUTES = 180_000;
const TEXTS = ['red', 'blue', 'a red blue'];
const tokenizer = wordTokenizer(['a red blue']);
/** Pictures are squeezed to no square, their middle is cut out, and levels are centred otherwise than usual. */
const preparation = {
  image_processor_type: 'CLIPImageProcessor',
  size: { shortest_edge: 18 },
  resample: 3,
  do_center_crop: true,
  crop_size: { height: 16, width: 16 },
  image_mean: [0.4, 0.5, 0.6],
  image_std: [0.2, 0.3, 0.25],
};

afterAll(() => {
  for (const each of [root, folder]) rmSync(each, { recursive: true, force: true });
});

/** A dual encoder whose two logits of a picture differ, with its tokenizer beside it. */
async function writeDualEncoder(): Promise<void> {
  const { vocabulary, endToken } = tokenizer;
  const config: DualEncoderConfig = { ...clip, text: { ...clip.text, vocabulary, endToken } };
  const model = modelOf(config);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(config));
  const companions = {
    'tokenizer.json': JSON.stringify(tokenizer.file),
    'preprocessor_config.json': JSON.stringify({
      ...preparation,
      size: { shortest_edge: 9 },
      crop_size: { height: 8, width: 8 },
    }),
  };
  await saveModel(at('dual'), { model, params, companions });
  disposeTree(params);
}

/** A picture of 37 × 24 with every level in it, whose sides are scaled by no whole number. */
async function writePicture(name: string): Promise<string> {
  const [width, height] = [37, 24];
  const pixels = Uint8Array.from(
    { length: width * height * 3 },
    (_, place) => (place * 7 + (place % 3) * 40) % 256,
  );
  const path = at(name);
  await sharp(pixels, { raw: { width, height, channels: 3 } }).toFile(path);
  return path;
}

test('what cannot be shown is refused, with what to do', async () => {
  await expect(writeDemo(at('cut'), {})).rejects.toThrow('demo: say with --out');
  await expect(writeDemo(at('cut'), { out: root })).rejects.toThrow('is not empty');
  const out = join(folder, 'refused');
  await writeDualEncoder();
  await expect(writeDemo(at('dual'), { out })).rejects.toThrow('say with --texts');
  await expect(writeDemo(at('cut'), { out, against: at('dual'), texts: 'red|blue' })).rejects.toThrow(
    '--texts has no use for a classifier',
  );
  const model = modelOf(plain);
  const params = uploadTree<TensorTree>(model.specs, randomParameters(plain));
  await saveModel(at('three'), { model, params, classNames: ['a', 'b', 'c'] });
  disposeTree(params);
  await expect(writeDemo(at('cut'), { out, against: at('three') })).rejects.toThrow(
    'the two models tell other things apart',
  );
  writeFileSync(at('none.txt'), '');
  await expect(writeDemo(at('cut'), { out, pictures: at('none.txt') })).rejects.toThrow(
    'browsers do not show',
  );
});

if (executablePath === undefined) {
  test.skip('SKIPPED: there is no Chromium here (apt-get install chromium)', () => undefined);
} else {
  describe('in Chromium, opened from the disk', () => {
    const screens = {
      desktop: { viewport: { width: 1280, height: 900 } },
      phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
    } as const;
    let browser: Browser;

    beforeAll(async () => {
      browser = await chromium.launch({
        executablePath,
        // A graphics processor in software.
        args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
      });
      await writePicture('picture.png');
      for (const name of ['dense', 'cut'])
        writeFileSync(at(name, 'preprocessor_config.json'), JSON.stringify(preparation));
      const pictures = at('picture.png');
      await writeDemo(at('cut'), { against: at('dense'), pictures, out: join(folder, 'classes') });
      await writeDemo(at('dual'), { texts: TEXTS.slice(0, 2).join('|'), out: join(folder, 'texts') });
    }, MINUTES);
    afterAll(async () => {
      await browser.close();
    });

    /** Waits until the page has done all that it was asked for. */
    const idle = (page: Page) =>
      page.locator('#file:not([disabled])').waitFor({ state: 'attached', timeout: MINUTES });

    /** Opens a page, does something, and demands that nothing went wrong and nothing was asked of others. */
    async function onPage(
      demo: string,
      screen: keyof typeof screens,
      colorScheme: 'light' | 'dark',
      task: (page: Page) => Promise<void>,
    ): Promise<void> {
      const context = await browser.newContext({ ...screens[screen], colorScheme });
      const page = await context.newPage();
      const troubles: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') troubles.push(message.text());
      });
      page.on('pageerror', (error) => troubles.push(String(error)));
      page.on('request', (request) => {
        const url = request.url();
        const isOwn = url.startsWith(pathToFileURL(join(folder, demo)).href);
        if (!isOwn && !/^(?:data|blob):/.test(url)) troubles.push(`fetched ${url}`);
      });
      await page.goto(pathToFileURL(join(folder, demo, 'index.html')).href);
      await idle(page);
      await task(page);
      const shots = process.env['WINNOW_SCREENSHOTS'];
      if (shots !== undefined)
        await page.screenshot({ path: join(shots, `${demo}-${screen}.png`), fullPage: true });
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      await context.close();
      expect(troubles).toEqual([]);
      expect(width).toBeLessThanOrEqual(screens[screen].viewport.width);
    }

    /** The answers of a card, with all digits. */
    async function answersOf(page: Page, title: string): Promise<Map<string, number>> {
      const lines = page.locator(`section[aria-label="${title}"] .answers li`);
      await lines.first().waitFor();
      const found = await lines.evaluateAll((items) =>
        items.map((item): [string, number] => [
          item.querySelector('.name')?.textContent ?? '',
          Number(item.querySelector('.percent')?.getAttribute('data-probability')),
        ]),
      );
      return new Map(found);
    }

    /** The same by this process and its engine. */
    async function expectAsHere(
      page: Page,
      title: string,
      model: string,
      picture: string,
      { texts, digits }: { readonly texts?: string; readonly digits: number },
    ): Promise<void> {
      const given = { engine: 'wasm', ...(texts === undefined ? {} : { texts }) };
      const { predictions } = await predictPictures(model, [picture], given);
      const found = await answersOf(page, title);
      const best = predictions[0]?.best ?? [];
      expect([...found.keys()]).toEqual(best.map(({ name }) => name));
      for (const { name, probability } of best) expect(found.get(name)).toBeCloseTo(probability, digits);
    }

    test(
      'two classifiers answer as they do here, in WebAssembly and in WebGPU',
      async () => {
        await onPage('classes', 'desktop', 'light', async (page) => {
          await page.locator('#samples button').click();
          await idle(page);
          const picture = at('picture.png');
          await expectAsHere(page, 'Dense', at('dense'), picture, { digits: 5 });
          await expectAsHere(page, 'Compressed', at('cut'), picture, { digits: 5 });
          const jpeg = await writePicture('picture.jpg');
          await page.setInputFiles('#file', jpeg);
          await idle(page);
          await expectAsHere(page, 'Compressed', at('cut'), jpeg, { digits: 5 });
          await page.locator('#measure').click();
          await page.locator('#timing', { hasText: /aster|lower/ }).waitFor();
          await idle(page);
          await page.locator('#backend').selectOption('webgpu');
          await page.locator('#file[disabled]').waitFor({ state: 'attached' });
          await idle(page);
          expect(await page.locator('#backend').inputValue()).toBe('webgpu');
          expect(await page.locator('#status').innerText()).toMatch(/say the same/);
          await expectAsHere(page, 'Compressed', at('cut'), jpeg, { digits: 5 });
        });
      },
      MINUTES,
    );

    test(
      'a dual encoder answers by texts, which may be changed, on a phone at night',
      async () => {
        await onPage('texts', 'phone', 'dark', async (page) => {
          const picture = at('picture.png');
          await page.setInputFiles('#file', picture);
          await idle(page);
          const here = { texts: TEXTS.join('|'), digits: 5 };
          await page.locator('#texts').fill(TEXTS.join('\n'));
          await page.locator('.answers li').nth(2).waitFor();
          await expectAsHere(page, 'Model', at('dual'), picture, here);
          await page.locator('#texts').fill('red');
          await page.locator('#status.trouble', { hasText: 'Give two texts at least' }).waitFor();
        });
      },
      MINUTES,
    );

    test('a page that lacks a file says which', async () => {
      const file = join(folder, 'texts', 'data', 'model-vision-0.js');
      const content = readFileSync(file);
      rmSync(file);
      const page = await browser.newPage();
      await page.goto(pathToFileURL(join(folder, 'texts', 'index.html')).href);
      await page.locator('#status.trouble').waitFor();
      expect(await page.locator('#status').innerText()).toContain('data/model-vision-0.js is missing');
      writeFileSync(file, content);
      await page.close();
    });
  });
}
