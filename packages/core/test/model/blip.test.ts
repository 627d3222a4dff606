import {
  type Rank,
  type Tensor,
  type Tensor2D,
  type Tensor4D,
  concat,
  memory,
  randomNormal,
  reshape,
  slice,
  stack,
  tensor2d,
  tidy,
} from '@tensorflow/tfjs-core';
import {
  type Blip,
  type BlipConfig,
  type BlipParams,
  type BlipPurpose,
  type BlipUsage,
  type Decision,
  type Share,
  type Site,
  type TensorTree,
  blip,
  columnNames,
  columnsOf,
  compact,
  compressibleCost,
  configSchema,
  effective,
  exampleUsage,
  initialize,
  mapTree,
  maskOf,
  textStackConfig,
  visionTowerConfig,
} from '../../src/index';
import { describeOnEveryEngine } from '../engine/every-engine';
import { END, START, smallBlip } from './small-blip';

/** BLIP's published sizes: ViT-B/16 and BERT-base. */
function published(
  purpose: BlipPurpose,
  { pixels, read = 0, written = 0 }: Record<string, number> & { pixels: number },
): BlipConfig {
  const words = { vocabulary: 30_524, positions: 512 };
  const memories = purpose === 'statements' ? 2 : 1;
  return {
    kind: 'blip',
    purpose,
    vision: visionTowerConfig('base', { imageSize: pixels, patchSize: 16 }),
    tokens: { start: 30_522, end: 102, ground: 30_523 },
    ...(read === 0 ? {} : { encoder: textStackConfig('base', { ...words, context: read, memories }) }),
    ...(written === 0 ? {} : { decoder: textStackConfig('base', { ...words, context: written }) }),
    ...(purpose === 'retrieval' ? { embeddings: { projectionDim: 256 } } : {}),
  };
}

const units = ({ sites }: Blip) => {
  const of = (kind: string) =>
    sites.filter(({ structure }) => structure === kind).reduce((sum, site) => sum + site.units, 0);
  return [of('attention'), of('ffn')];
};
const costsOf = (model: Blip, part = '') =>
  model.account.lines
    .filter((line) => line.part.startsWith(part))
    .reduce(
      (sum, { parameters, macs }) => ({ parameters: sum.parameters + parameters, macs: sum.macs + macs }),
      {
        parameters: 0,
        macs: 0,
      },
    );

/** The decision that keeps one unit of `factor` at every site. */
const equalShares = (sites: readonly Site[], factor: number): Decision => ({
  version: 1,
  sites: Object.fromEntries(
    sites.map(({ id, units: all }) => [
      id,
      { kind: 'keep', units: all, kept: Array.from({ length: all / factor }, (_, unit) => unit) },
    ]),
  ),
});
const millions = (parameters: number) => Math.round(parameters / 1e4) / 100;

describe('the account of the four dense models that UPop publishes', () => {
  test('two pictures and a statement', () => {
    const model = blip(published('statements', { pixels: 384, read: 36 }));
    expect([model.account.parameters, model.account.macs]).toEqual([259_372_034, 132_540_715_008]);
    expect(units(model)).toEqual([3_072, 73_728]);
    const { parameters } = compressibleCost(model.sites);
    expect(parameters).toBe(226_676_736);
    expect(
      [2, 4].map((factor) => millions(model.shrink(equalShares(model.sites, factor)).account.parameters)),
    ).toEqual([146.03, 89.36]);
    expect(millions(model.account.parameters - parameters + parameters / 10)).toBe(55.36);
  });

  test('a caption', () => {
    const model = blip(published('captions', { pixels: 384, written: 15 }));
    expect([model.account.parameters, model.account.macs]).toEqual([223_971_644, 65_719_562_496]);
    expect(units(model)).toEqual([2_304, 73_728]);
    expect(compressibleCost(model.sites).parameters).toBe(198_337_536);
    expect(
      [2, 4].map((factor) => millions(model.shrink(equalShares(model.sites, factor)).account.parameters)),
    ).toEqual([124.8, 75.22]);
  });

  test('a picture with 32 questions and 47 answers', () => {
    const usage: BlipUsage = {
      ...exampleUsage('questions'),
      read: { memories: 1, texts: 32 },
      written: { memories: 1, texts: 47 },
    };
    const model = blip(published('questions', { pixels: 480, read: 14, written: 5 }), usage);
    expect([model.account.parameters, model.account.macs]).toEqual([361_478_972, 186_121_346_304]);
    expect(units(model)).toEqual([3_840, 110_592]);
    expect(compressibleCost(model.sites).parameters).toBe(311_675_904);
    expect(
      [2, 4].map((factor) => millions(model.shrink(equalShares(model.sites, factor)).account.parameters)),
    ).toEqual([205.64, 127.72]);
  });

  test('retrieval: the online model that matches three times, its momentum copy and the temperature', () => {
    const config = published('retrieval', { pixels: 384, read: 35 });
    expect(blip(config).account.parameters).toBe(223_744_258);
    const online = blip(config, { ...exampleUsage('retrieval'), read: { memories: 3, texts: 1 } });
    const momentum = blip(config, { ...exampleUsage('retrieval'), read: { memories: 0, texts: 0 } });
    const unmatched = costsOf(momentum, 'embeddings.match');
    expect(online.account.parameters + momentum.account.parameters - unmatched.parameters + 1).toBe(
      447_486_979,
    );
    expect(online.account.macs + momentum.account.macs).toBe(153_183_546_624);
    expect(units(online)).toEqual([2_304, 73_728]);
  });

  test('a unit of cross-attention costs H·(2·D_t + 2·D_v + 3) parameters', () => {
    const site = blip(smallBlip('statements')).sites.find(({ id }) => id === 'encoder.blocks.1.cross1');
    expect(site?.unitCost).toEqual({
      parameters: 2 * (2 * 8 + 2 * 12 + 3),
      macs: 2 * (2 * 6 * 8 + 2 * 5 * 12 + 2 * 6 * 5),
    });
    expect(site?.width).toBe('encoder.blocks.1.cross.1.headDim');
  });
});

test('a configuration survives as text, and one with the parts of another purpose is refused', () => {
  for (const purpose of ['captions', 'questions', 'statements', 'retrieval'] as const) {
    const config = smallBlip(purpose);
    expect(configSchema().parse(JSON.parse(JSON.stringify(config)))).toEqual(config);
  }
  const { decoder: _, ...without } = smallBlip('questions');
  expect(() => blip(without)).toThrow('expected a decoder of a model for questions');
  expect(configSchema().safeParse({ ...smallBlip('captions'), purpose: 'statements' }).success).toBe(false);
});

const valuesOf = (tensor: Tensor | undefined) => [...(tensor?.dataSync() ?? [])];
const expectClose = (found: Tensor | undefined, expected: Tensor | undefined, digits = 4) => {
  const [own, other] = [valuesOf(found), valuesOf(expected)];
  expect(own).toHaveLength(other.length);
  expect(own.length).toBeGreaterThan(0);
  own.forEach((value, index) => expect(value).toBeCloseTo(other[index] ?? Number.NaN, digits));
};
const expectApart = (one: Tensor | undefined, other: Tensor | undefined) => {
  const others = valuesOf(other);
  expect(
    Math.max(...valuesOf(one).map((value, index) => Math.abs(value - (others[index] ?? 0)))),
  ).toBeGreaterThan(1e-3);
};

describeOnEveryEngine('a BLIP', () => {
  const pictures = (count: number, seed = 5): Tensor4D =>
    randomNormal<Rank.R4>([count, 8, 8, 3], 0, 1, 'float32', seed);
  const texts = () => tensor2d([1, 2, 3, END, END, 4, 5, END, 0, 6], [2, 5], 'int32');
  const answers = () => tensor2d([START, 1, 2, START, 6, END], [2, 3], 'int32');
  /** Fresh parameters, larger than usual, so that what a part adds is seen. */
  const made = (purpose: BlipPurpose, options?: Parameters<typeof smallBlip>[1]) => {
    const model = blip(smallBlip(purpose, options));
    const params = initialize<BlipParams>(model.specs, 3);
    return {
      model,
      params: mapTree(params, (leaf, path) =>
        /(words|positions|bias)$/.test(path) ? leaf.mul(20).add(0.05) : leaf,
      ),
    };
  };
  const inputs = (purpose: BlipPurpose) => ({
    images: pictures(purpose === 'statements' ? 4 : 2),
    tokens: texts(),
    ...(purpose === 'questions' ? { answers: answers() } : {}),
  });
  const purposes: BlipPurpose[] = ['captions', 'questions', 'statements', 'retrieval'];

  it.each(purposes)('looks at pictures (%s)', (purpose) => {
    tidy(() => {
      const { model, params } = made(purpose);
      const plain = model.forward(params, inputs(purpose));
      const changed = model.forward(params, {
        ...inputs(purpose),
        images: pictures(purpose === 'statements' ? 4 : 2, 6),
      });
      expectApart(plain['logits'], changed['logits']);
      if (purpose === 'retrieval') expectClose(plain['texts'], changed['texts'], 6); // read by themselves
    });
  });

  it('a text that is read ends with its end token, and both its sides are looked at', () => {
    tidy(() => {
      const { model, params } = made('retrieval');
      const images = pictures(2);
      const of = (tokens: number[]) =>
        model.forward(params, { images, tokens: tensor2d(tokens, [2, 5], 'int32') });
      const plain = of([1, 2, 3, END, END, 4, 5, END, 0, 6]);
      const padded = of([1, 2, 3, END, 7, 4, 5, END, END, END]);
      for (const name of ['logits', 'matches']) expectClose(plain[name], padded[name]);
      const later = of([1, 2, 7, END, END, 4, 5, END, 0, 6]);
      for (const name of ['logits', 'matches']) expectApart(plain[name], later[name]);
      // [ENC] stands for the first token of a text that is read about a picture, and only there.
      const begun = of([7, 2, 3, END, END, 7, 5, END, 0, 6]);
      expectClose(plain['matches'], begun['matches']);
      expectApart(plain['logits'], begun['logits']);
    });
  });

  it('a text that is written looks back alone', () => {
    tidy(() => {
      const { model, params } = made('captions');
      const images = pictures(2);
      const of = (third: number) =>
        reshape(
          model.forward(params, {
            images,
            tokens: tensor2d([START, 2, third, 4, START, 5, third, 6], [2, 4], 'int32'),
          })['logits'] ?? images,
          [2, 4, 11],
        );
      const [one, other] = [of(1), of(7)];
      expectClose(slice(one, [0, 0, 0], [2, 2, 11]), slice(other, [0, 0, 0], [2, 2, 11]), 6);
      expectApart(slice(one, [0, 2, 0], [2, 2, 11]), slice(other, [0, 2, 0], [2, 2, 11]));
    });
  });

  it('as many texts about each picture are read as if each had it for itself', () => {
    tidy(() => {
      const { model, params } = made('captions');
      const images = pictures(2);
      const four: Tensor2D = concat<Tensor2D>([answers(), answers()], 0);
      const shared = model.forward(params, { images, tokens: four });
      const own = model.forward(params, {
        images: reshape(stack([images, images], 1), [4, 8, 8, 3]),
        tokens: four,
      });
      expectClose(shared['logits'], own['logits']);
    });
  });

  it.each(['after', 'before'] as const)(
    'twins of equal weights that see one picture twice are one (norms %s)',
    (norm) => {
      tidy(() => {
        // One block of two is averaged; the merge of the other takes half of each.
        const { model, params } = made('statements', { norm });
        const { encoder, judge } = params;
        if (encoder === undefined || judge === undefined) throw new Error('expected an encoder and a head');
        const twins = {
          ...params,
          encoder: {
            ...encoder,
            blocks: encoder.blocks.map(({ cross0, merge, ...rest }) => ({
              ...rest,
              ...(cross0 === undefined ? {} : { cross0, cross1: cross0 }),
              ...(merge === undefined ? {} : { merge: halves(merge.bias.shape[0]) }),
            })),
          },
        };
        const images = pictures(2);
        const pairs = reshape(stack([images, images], 1), [4, 8, 8, 3]) as Tensor4D;
        const both = model.forward(twins, { images: pairs, tokens: texts() });
        const single = blip(smallBlip('questions', { norm }));
        const one = {
          ...params,
          encoder: {
            ...encoder,
            blocks: encoder.blocks.map(({ cross0, cross1: _, merge: __, ...rest }) => ({
              ...rest,
              ...(cross0 === undefined ? {} : { cross: cross0 }),
            })),
          },
        };
        const read = single.passes.ask(one, texts(), single.passes.see(one, images)).states;
        const first = slice(reshape(read, [2, 5, 8]), [0, 0, 0], [2, 1, 8]);
        const judged = first.reshape([2, 8]).matMul(judge.first.weight).add(judge.first.bias).relu();
        expectClose(both['logits'], judged.matMul(judge.last.weight.as2D(8, 2)).add(judge.last.bias));
      });
    },
  );

  /** The mean of two, as a linear map of both side by side. */
  const halves = (D: number) => ({
    weight: tensor2d(
      Array.from({ length: 2 * D * D }, (_, entry) => (Math.floor(entry / D) % D === entry % D ? 0.5 : 0)),
      [2 * D, D],
    ),
    bias: tensor2d([Array<number>(D).fill(0)]).as1D(),
  });

  it.each(purposes)('units that are masked may as well be cut (%s)', (purpose) => {
    tidy(() => {
      const { model, params } = made(purpose);
      const decision: Decision = {
        version: 1,
        sites: Object.fromEntries(
          model.sites.map(({ id, units: all }, index) => [
            id,
            { kind: 'keep', units: all, kept: [index % 2, 2 + (index % 2)].slice(0, all) },
          ]),
        ),
      };
      const masks = Object.fromEntries(
        model.sites.map((site) => [site.id, tensor2d([...maskOf(decision, site)], [1, site.units]).as1D()]),
      );
      const masked = effective(params as TensorTree, model.sites, masks) as BlipParams;
      const cut = compact(model, params, decision);
      const found = cut.model.forward(cut.params, inputs(purpose));
      const expected = model.forward(masked, inputs(purpose));
      for (const name of Object.keys(expected)) expectClose(found[name], expected[name]);
      expect(cut.model.account.parameters).toBeLessThan(model.account.parameters);
    });
  });

  it('an encoder and a decoder share what cross-attention and the feed-forward network make, by ties', () => {
    tidy(() => {
      const { model, params } = made('questions', { width: 8 });
      const shared = model.sites.filter(({ id }) => /^decoder.*(cross|ffn)$/.test(id));
      const ties = Object.fromEntries(
        shared.map((site): [string, Share] => [
          site.id,
          {
            kind: 'share',
            units: site.units,
            lender: site.id.replace('decoder', 'encoder'),
            columns: Object.fromEntries(columnNames(site).map((name) => [name, 'b'.repeat(columnsOf(site))])),
          },
        ]),
      );
      const { model: smaller, params: own } = compact(model, params, { version: 1, sites: ties });
      expect(model.account.parameters - smaller.account.parameters).toBe(
        2 * (2 * 8 * 10 + 10 + 3 * 8 * 8 + 3 * 8),
      );
      const { decoder, encoder } = params;
      if (decoder === undefined || encoder === undefined) throw new Error('expected both stacks');
      const tiedByHand = {
        ...params,
        decoder: {
          ...decoder,
          blocks: decoder.blocks.map((block, index) => {
            const { ffn, cross } = encoder.blocks[index] ?? block;
            if (cross === undefined || block.cross === undefined) return block;
            return {
              ...block,
              cross: { ...cross, output: block.cross.output }, // Of an attention, what it makes is shared.
              ffn: { expand: ffn.expand, contract: { ...ffn.contract, bias: block.ffn.contract.bias } },
            };
          }),
        },
      };
      expectClose(
        smaller.forward(own, inputs('questions'))['logits'],
        model.forward(tiedByHand, inputs('questions'))['logits'],
      );
      const ofTies = blip({ ...model.config, ties });
      expectClose(
        ofTies.passes.ask(own as BlipParams, texts(), ofTies.passes.see(own as BlipParams, pictures(2)))
          .states,
        model.passes.ask(params, texts(), model.passes.see(params, pictures(2))).states,
      );
    });
  });

  it('a cross-attention is not shared with one that looks at another width', () => {
    const { model } = made('questions');
    const site = model.sites.find(({ id }) => id === 'decoder.blocks.0.cross');
    const columns = Object.fromEntries(['query', 'key', 'value'].map((name) => [name, 'b'.repeat(8)]));
    const lender = 'encoder.blocks.0.cross';
    const share: Share = { kind: 'share', units: site?.units ?? 0, lender, columns };
    expect(() => model.shrink({ version: 1, sites: { 'decoder.blocks.0.cross': share } })).toThrow(
      'decoder.blocks.0.cross borrows from encoder.blocks.0.cross, which is not there or has other columns',
    );
  });

  it('leaves no tensors behind', () => {
    const before = memory().numTensors;
    tidy(() => {
      const { model, params } = made('questions');
      model.forward(params, inputs('questions'));
    });
    expect(memory().numTensors).toBe(before);
  });
});
