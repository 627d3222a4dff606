import { type Rank, memory, randomNormal, tensor2d, tidy } from '@tensorflow/tfjs-core';
import {
  type BeamOptions,
  type BlipParams,
  beginSearch,
  blip,
  disposeTree,
  initialize,
  mapTree,
  searchStep,
  tidyTree,
  writeTexts,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { END, START, smallBlip } from '../model/small-blip';

describeOnEveryEngine('writing', () => {
  const model = blip(smallBlip('captions'));
  const { passes } = model;
  const made = () =>
    tidyTree(() => {
      const params = mapTree(initialize<BlipParams>(model.specs, 4), (leaf, path) =>
        /(words|positions|bias)$/.test(path) ? leaf.mul(20).add(0.05) : leaf.mul(1),
      );
      return { params, seen: passes.see(params, randomNormal<Rank.R4>([3, 8, 8, 3], 0, 1, 'float32', 7)) };
    });

  it.each([1, 3])('what is kept changes nothing, and no tensor stays (%d beams)', async (beams) => {
    const { params, seen } = made();
    const options: BeamOptions = { beams, longest: 8, shortest: 4, end: END, length: 'whole' };
    const begin = [START, 2];
    const before = memory().numTensors;
    const written = await writeTexts(passes, params, seen, { ...options, begin });
    expect(memory().numTensors).toBe(before);
    // The same search, that computes every text anew at every step.
    let searches = Array.from({ length: 3 }, () => beginSearch(begin, options));
    while (searches.some(({ isOver }) => !isOver)) {
      const open = searches.flatMap((search) => search.open.map((text) => text.tokens));
      const length = Math.max(...open.map((tokens) => tokens.length));
      // Of a search that is over, texts stay as long as they are.
      const tokens = open.map((own) => Array.from({ length }, (_, place) => own[place] ?? 0));
      const values = tidy(() =>
        passes
          .write(params, tensor2d(tokens.flat(), [tokens.length, length], 'int32'), seen)
          .reshape([3 * beams, length, -1])
          .slice([0, length - 1, 0], [3 * beams, 1, 11])
          .reshape([3 * beams, 11])
          .logSoftmax()
          .dataSync<'float32'>(),
      );
      searches = searches.map(
        (search, example) =>
          searchStep(search, values.slice(example * beams * 11, (example + 1) * beams * 11), 2, options)
            .search,
      );
    }
    expect(written.map((search) => search.written.map(({ tokens }) => tokens))).toEqual(
      searches.map((search) => search.written.map(({ tokens }) => tokens)),
    );
    written.forEach(({ written: [best] }, example) => {
      expect(best?.score).toBeCloseTo(searches[example]?.written[0]?.score ?? Number.NaN, 4);
    });
    disposeTree(params);
    seen.states.dispose();
  });

  it('refuses texts without room, and lets go of all that it holds', async () => {
    const { params, seen } = made();
    const before = memory().numTensors;
    const options = { beams: 2, longest: 12, end: END, length: 'whole', begin: [START] } as const;
    await expect(writeTexts(passes, params, seen, { ...options, longest: 1 })).rejects.toThrow(
      'expected texts that begin with 1 to 0 tokens, got 1',
    );
    await expect(writeTexts(passes, params, seen, { ...options, shortest: 12 })).rejects.toThrow(
      'expected texts of at most 9 tokens, got 10',
    );
    expect(memory().numTensors).toBe(before);
    disposeTree(params);
    seen.states.dispose();
  });
});
