/**
 * Draws what a model for grounding finds in the first six scenes of test A, drawings by a vendor that it was not trained on: its surest
 * box in colour, the true one in black. Nothing is chosen.
 *
 *   node tools/results/drawn-groundings.mjs MODEL OUT.png
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { expressionsIn, painted, scenePool, sceneSource } from '../../packages/data/dist/index.js';

const [model, out] = process.argv.slice(2);
if (out === undefined) throw new Error('usage: drawn-groundings.mjs MODEL OUT.png');
const winnow = new URL('../../apps/winnow/bin/winnow.js', import.meta.url).pathname;
const [SCENES, WANTED, COLUMNS, SIDE, TEXT] = [20, 6, 3, 480, 36];

const source = await sceneSource();
const pool = scenePool(source, 'new drawings', SCENES);
const asked = expressionsIn(pool)
  .flatMap(([first], scene) => (first === undefined ? [] : [{ scene: pool.scenes[scene], said: first }]))
  .slice(0, WANTED);

const folder = mkdtempSync(join(tmpdir(), 'winnow-drawn-'));
try {
  const cells = [];
  for (const [index, { scene, said }] of asked.entries()) {
    const raw = { width: source.side, height: source.side, channels: 3 };
    const picture = join(folder, `${index}.png`);
    const { pixels } = painted(scene.layout, source.drawingsOf('new drawings'));
    await sharp(pixels, { raw }).png().toFile(picture);
    execFileSync(process.execPath, [
      ...[winnow, 'predict', model, picture, '--texts', said.text, '--top', '1'],
      ...['--drawings', join(folder, 'drawn')],
    ]);
    const drawn = await sharp(join(folder, 'drawn', `${index}.png`))
      .resize(SIDE, SIDE)
      .toBuffer();
    const { box } = scene.objects[said.span.objects[0]];
    const [left, top] = [(index % COLUMNS) * SIDE, Math.floor(index / COLUMNS) * (SIDE + TEXT)];
    cells.push({ input: drawn, left, top: top + TEXT }, { input: overlay(box, said.text), left, top });
  }
  const height = Math.ceil(asked.length / COLUMNS) * (SIDE + TEXT);
  await sharp({ create: { width: COLUMNS * SIDE, height, channels: 3, background: '#fff' } })
    .composite(cells)
    .png({ palette: true })
    .toFile(out);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The text above the picture, and the true box on it. */
function overlay({ left, top, right, bottom }, text) {
  const scale = SIDE / source.side;
  const [x, y, width, high] = [left, top, right - left, bottom - top].map((length) => length * scale);
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${SIDE}" height="${SIDE + TEXT}"><text x="8" y="25" font-family="sans-serif" font-size="20">${text}</text><rect x="${x}" y="${y + TEXT}" width="${width}" height="${high}" fill="none" stroke="#000" stroke-width="3"/></svg>`,
  );
}
