import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { imageNetNormalisation } from '@winnow/data';
import { PREPROCESSOR_FILE, readPreparation } from '@winnow/formats';
import { makePictures } from '@winnow/testkit';
import { winnow } from './terminal';

const root = await mkdtemp(join(tmpdir(), 'winnow-normalisation-'));
const at = (...path: string[]) => join(root, ...path);
const run = async (...args: string[]) => {
  const { code, stdout, stderr } = await winnow(args);
  if (code !== 0) throw new Error(stderr);
  return stdout;
};
const ENGINE = ['--engine', 'wasm'];
const TINY = [...ENGINE, '--batch-size', '4', '--data', at('pictures')];
const scoresOf = async (model: string): Promise<unknown> =>
  JSON.parse(await run('evaluate', at(model), '--data', at('pictures'), ...ENGINE, '--json'));

const other = { image_mean: [0.1, 0.5, 0.9], image_std: [0.5, 0.1, 0.2] };
const own = { mean: other.image_mean, std: other.image_std };

beforeAll(async () => {
  await makePictures(at('pictures'));
  const shape = ['--image-size', '16', '--patch-size', '8'];
  await run('train', ...TINY, ...shape, '--duration', '6it', '--evaluate-every', '0it', '--out', at('ours'));
  await run('export', at('ours'), '--out', at('theirs'));
  await cp(at('theirs'), at('others'), { recursive: true });
  await writeFile(at('others', PREPROCESSOR_FILE), JSON.stringify(other));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test('a model goes out with what its pictures were normalised with, and scores the same when it comes back', async () => {
  expect(await readPreparation(at('theirs'), 16)).toEqual(imageNetNormalisation);

  expect(await scoresOf('theirs')).toMatchObject({
    scores: JSON.parse(readFileSync(at('ours', 'summary.json'), 'utf8')).model.scores,
  });
});

test('a checkpoint is scored on the part of a picture that its preprocessor shows, also once it is imported and exported', async () => {
  const preprocessor = JSON.parse(readFileSync(at('theirs', PREPROCESSOR_FILE), 'utf8'));
  await cp(at('theirs'), at('middle'), { recursive: true });
  await writeFile(
    at('middle', PREPROCESSOR_FILE),
    JSON.stringify({ ...preprocessor, size: { shortest_edge: 32 }, crop_size: 16 }),
  );
  const whole = await scoresOf('theirs');
  const middle = await scoresOf('middle');
  expect(middle).not.toMatchObject({ scores: Object(whole).scores });
  await run('import', at('middle'), '--out', at('middle-ours'));
  await run('export', at('middle-ours'), '--out', at('middle-theirs'));
  for (const model of ['middle-ours', 'middle-theirs'])
    expect(await scoresOf(model)).toMatchObject({ scores: Object(middle).scores });
});

test('a checkpoint is scored, imported, trained on and compressed with its own normalisation', async () => {
  const ours = await scoresOf('theirs');
  const others = await scoresOf('others');
  expect(others).not.toMatchObject({ scores: Object(ours).scores });

  await run('import', at('others'), '--out', at('imported'));
  expect(await readPreparation(at('imported'), 16)).toMatchObject(own);
  expect(await scoresOf('imported')).toMatchObject({ scores: Object(others).scores });

  await run('train', '--from', at('imported'), ...TINY, '--duration', '0it', '--out', at('trained'));
  expect(await readPreparation(at('trained', 'model'), 16)).toMatchObject(own);
  expect(JSON.parse(readFileSync(at('trained', 'summary.json'), 'utf8'))).toMatchObject({
    model: { scores: Object(others).scores },
  });

  const fast = ['--method', 'random', '--retrain', '0it', '--out', at('small')];
  await run('compress', '--from', at('imported'), ...TINY, ...fast);
  expect(await readPreparation(at('small', 'model'), 16)).toMatchObject(own);
  expect(JSON.parse(readFileSync(at('small', 'summary.json'), 'utf8'))).toMatchObject({
    dense: { scores: Object(others).scores },
  });
});
