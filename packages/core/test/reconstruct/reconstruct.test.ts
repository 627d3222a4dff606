import { type Tensor, type Tensor4D, concat, memory, tensor1d, slice } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import {
  type Decision,
  type DualEncoderConfig,
  type Hooks,
  type Model,
  type TensorTree,
  compact,
  decisionFromMasks,
  disposeTree,
  downloadTree,
  dualEncoder,
  effective,
  entriesOf,
  identityDecision,
  mapTree,
  maskOf,
  randomStream,
  tidyTree,
  visionTransformer,
} from '../../src/index';
import { type Reconstructed, reconstruct } from '../../src/reconstruct/reconstruct';
import { type ReconstructionKind, reconstructionKinds } from '../../src/reconstruct/kind';
import { describeOnEveryEngine } from '../engine/every-engine';
import {
  largestDifference,
  perturbedParams,
  randomImages,
  randomMasks,
  seeds,
  smallConfigs,
} from '../model/random-model';
import { asTokens, randomTexts, smallDualEncoders } from '../model/random-towers';

/** Inputs of a model for some examples; the tensors live as long as the test. */
type Inputs = Readonly<Record<string, Tensor>>;
interface Case {
  readonly model: Model<TensorTree, unknown>;
  readonly params: TensorTree;
  readonly inputs: readonly Inputs[];
}

const taskOf = (
  model: Model<TensorTree, unknown>,
  see: (hooks: Hooks | undefined) => Hooks | undefined = (h) => h,
) => ({
  predict: (params: TensorTree, batch: unknown, hooks?: Hooks) =>
    model.forward(params, { ...(batch as Inputs), ...see(hooks) }),
});

function imageCase(config: Parameters<typeof visionTransformer>[0], seed: number, batches = [3, 2]): Case {
  const model = visionTransformer(config);
  const random = randomStream(seed, 'calibration');
  return {
    model: model as unknown as Case['model'],
    params: perturbedParams(model, seed),
    inputs: batches.map((count) => ({ images: randomImages(config, random, count) })),
  };
}

function pairCase(config: DualEncoderConfig, seed: number): Case {
  const model = dualEncoder(config);
  const random = randomStream(seed, 'calibration');
  return {
    model: model as unknown as Case['model'],
    params: perturbedParams(model, seed),
    inputs: [2, 1].map((count) => ({
      images: randomImages(config.vision, random, count),
      tokens: asTokens(randomTexts(config.text, random, count, config.text.context)),
    })),
  };
}

interface Variation {
  readonly reference?: TensorTree;
  readonly inputs?: readonly Inputs[];
  readonly see?: (hooks: Hooks | undefined) => Hooks | undefined;
}

async function reconstructed(
  { model, params, inputs }: Case,
  decision: Decision,
  kind: ReconstructionKind,
  { reference = params, inputs: own = inputs, see }: Variation = {},
): Promise<Reconstructed & { readonly plain: TensorTree; readonly cutModel: Model<TensorTree, unknown> }> {
  const cut = compact(model, reference, decision);
  const result = await reconstruct({
    kind,
    sites: model.sites,
    decision,
    dense: { model, params: reference, task: taskOf(model, see) },
    cut: { model: cut.model, params: cut.params, task: taskOf(cut.model, see) },
    batches: own.map((batch) => ({ batch, size: Object.values(batch)[0]?.shape[0] ?? 0 })),
  });
  return { ...result, plain: cut.params, cutModel: cut.model };
}

const decided = (
  { model: { sites } }: Case,
  seed: number,
  of = (_structure: string): boolean => true,
): Decision => {
  const masks = randomMasks(sites, randomStream(seed, 'decision'));
  return decisionFromMasks(
    sites,
    Object.fromEntries(
      sites.map(({ id, units, structure }) => [
        id,
        of(structure) ? (masks[id] ?? []) : Array.from({ length: units }, () => 1),
      ]),
    ),
  );
};

const disposeCase = ({ params, inputs }: Case): void => {
  disposeTree(params);
  for (const batch of inputs) for (const tensor of Object.values(batch)) tensor.dispose();
};

const kinds = fc.constantFrom(...reconstructionKinds);
const farthest = (a: TensorTree, b: TensorTree): number => {
  const others = new Map(entriesOf(b));
  return Math.max(
    ...entriesOf(a).map(([path, leaf]) => {
      const other = others.get(path);
      return other?.shape.join() === leaf.shape.join()
        ? largestDifference(leaf, other)
        : Number.POSITIVE_INFINITY;
    }),
  );
};

describeOnEveryEngine('a reconstruction', () => {
  it('changes nothing where nothing is removed', async () => {
    await fc.assert(
      fc.asyncProperty(smallConfigs, seeds, kinds, async (config, seed, kind) => {
        const own = imageCase(config, seed);
        const { params, plain, decision } = await reconstructed(own, identityDecision, kind);
        expect(await downloadTree(params)).toEqual(await downloadTree(plain));
        expect(decision).toEqual(identityDecision);
        disposeTree([params, plain]);
        disposeCase(own);
      }),
      { numRuns: 3 },
    );
  });

  it('keeps the shapes, makes no site worse on the examples that it saw, and leaves no tensors', async () => {
    const check = async (own: Case, seed: number, kind: ReconstructionKind): Promise<void> => {
      const before = memory().numTensors;
      const { params, plain, cutModel, decision, errors } = await reconstructed(
        own,
        decided(own, seed),
        kind,
      );
      const shapes = (tree: TensorTree) =>
        entriesOf(tree).map(([path, { shape }]) => `${path} ${shape.join()}`);
      expect(shapes(params)).toEqual(shapes(plain));
      expect(own.model.shrink(decision).config).toEqual(cutModel.config);
      for (const { before, after } of Object.values(errors)) {
        expect(after).toBeLessThanOrEqual(before * (1 + 1e-4) + 1e-9);
      }
      disposeTree([params, plain]);
      expect(memory().numTensors).toBe(before);
      disposeCase(own);
    };
    await fc.assert(
      fc.asyncProperty(smallConfigs, seeds, kinds, (config, seed, kind) =>
        check(imageCase(config, seed), seed, kind),
      ),
      { numRuns: 5 },
    );
    await fc.assert(
      fc.asyncProperty(smallDualEncoders, seeds, kinds, (config, seed, kind) =>
        check(pairCase(config, seed), seed, kind),
      ),
      { numRuns: 3 },
    );
  });

  it('comes to the same when every pass is a whole one', async () => {
    await fc.assert(
      fc.asyncProperty(smallDualEncoders, seeds, kinds, async (config, seed, kind) => {
        const own = pairCase(config, seed);
        const decision = decided(own, seed);
        const short = await reconstructed(own, decision, kind);
        const long = await reconstructed(own, decision, kind, {
          see: (hooks) => {
            const { enter: _, ...rest } = hooks ?? {};
            return rest;
          },
        });
        expect(long.decision).toEqual(short.decision);
        expect(farthest(short.params, long.params)).toBeLessThan(1e-2);
        disposeTree([short.params, short.plain, long.params, long.plain]);
        disposeCase(own);
      }),
      { numRuns: 5 },
    );
  });

  it('changes next to nothing where the units that are gone were 0 before', async () => {
    await fc.assert(
      fc.asyncProperty(smallConfigs, seeds, async (config, seed) => {
        const tower = { ...config.tower, normEpsilon: 1e-5 };
        const own = imageCase({ ...config, tower }, seed);
        const decision = decided(own, seed);
        const { sites } = own.model;
        const masked = tidyTree(() => {
          const masks = Object.fromEntries(sites.map((site) => [site.id, tensor1d(maskOf(decision, site))]));
          return mapTree(effective(own.params, sites, masks), (leaf) => leaf.clone());
        });
        const { params, plain } = await reconstructed(own, decision, 'units', { reference: masked });
        expect(farthest(params, plain)).toBeLessThan(5e-3);
        disposeTree([params, plain, masked]);
        disposeCase(own);
      }),
      { numRuns: 4 },
    );
  });

  it('loses nothing with hidden units of which an equal one stays, or that are constant', async () => {
    await fc.assert(
      fc.asyncProperty(smallConfigs, seeds, fc.boolean(), async (config, seed, isConstant) => {
        const own = imageCase(config, seed, [12]);
        const block = own.model.sites.find(({ structure, units }) => structure === 'ffn' && units > 1);
        fc.pre(block !== undefined && (own.model.config as { readonly tower?: unknown }).tower !== undefined);
        if (block === undefined) return;
        // The last unit becomes a copy of the first, or reads nothing.
        const params = tidyTree(() =>
          mapTree(own.params, (leaf, path) => {
            const coupling = block.couplings.find(
              ({ parameter, role }) => parameter === path && role === 'producer',
            );
            if (coupling === undefined) return leaf.clone();
            const { axis } = coupling;
            const sizes = leaf.shape.map((extent, i) => (i === axis ? 1 : extent));
            const rest = leaf.shape.map((extent, i) => (i === axis ? extent - 1 : extent));
            const first = slice(
              leaf,
              leaf.shape.map(() => 0),
              sizes,
            );
            const last = isConstant && leaf.rank === 2 ? first.mul(0) : first;
            return concat(
              [
                slice(
                  leaf,
                  leaf.shape.map(() => 0),
                  rest,
                ),
                last,
              ],
              axis,
            );
          }),
        );
        const decision: Decision = {
          version: 1,
          sites: {
            [block.id]: {
              kind: 'keep',
              units: block.units,
              kept: Array.from({ length: block.units - 1 }, (_, unit) => unit),
            },
          },
        };
        const {
          params: found,
          plain,
          errors,
        } = await reconstructed(own, decision, 'units', { reference: params });
        const { before, after } = errors[block.id] ?? { before: 0, after: Number.NaN };
        // The ridge keeps a share of a copy, by the number of rows; a constant leaves nothing.
        expect(after).toBeLessThanOrEqual((isConstant ? 1e-6 : 1) * before + 1e-8);
        disposeTree([found, plain, params]);
        disposeCase(own);
      }),
      { numRuns: 5 },
    );
  });

  it('does not depend on how the examples come in batches, nor on their order, beyond rounding', async () => {
    await fc.assert(
      fc.asyncProperty(smallConfigs, seeds, kinds, async (config, seed, kind) => {
        const own = imageCase(config, seed, [4]);
        const [{ images }] = own.inputs as [{ images: Tensor4D }];
        const [, ...rest] = images.shape;
        const at = (from: number, count: number): Tensor4D =>
          slice(images, [from, 0, 0, 0], [count, ...rest]);
        const split = [{ images: at(3, 1) }, { images: at(1, 2) }, { images: at(0, 1) }];
        const decision = decided(own, seed, (structure) => structure === 'ffn');
        const one = await reconstructed(own, decision, kind);
        const other = await reconstructed(own, decision, kind, { inputs: split });
        expect(other.decision).toEqual(one.decision);
        expect(farthest(one.params, other.params)).toBeLessThan(2e-2);
        disposeTree([one.params, one.plain, other.params, other.plain]);
        for (const batch of split) batch.images.dispose();
        disposeCase(own);
      }),
      { numRuns: 4 },
    );
  });
});
