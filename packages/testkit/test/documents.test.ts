import {
  type CompressionMethod,
  type Dataset,
  type Decision,
  type DecisionKind,
  type Model,
  type PairBatch,
  type SiteDecision,
  type Task,
  type TensorTree,
  type Training,
  adamw,
  constant,
  cutTree,
  decisionKinds,
  decisionSchemaOf,
  denseConfigOf,
  disposeTree,
  entriesOf,
  evaluate,
  evaluationBatches,
  initialize,
  planOf,
  train,
  trainingBatches,
  visionTransformer,
  visionTransformerFamily,
} from '@winnow/core';
import { startEngine } from '@winnow/engine';
import {
  type TinyKind,
  type TinyModel,
  crossEncoders,
  describeMethod,
  exampleModule,
  toyPairs,
  toyShape,
  visionTransformers,
} from '../src/index';

// The examples of docs/extending.md are whole: they have to compile, and to pass every law.
const moduleUnder = (heading: string): string =>
  exampleModule(
    new URL('../../../docs/extending.md', import.meta.url),
    new URL('./generated/', import.meta.url),
    heading,
  );
const { dropLast } = (await import(moduleUnder('# Adding a method'))) as { dropLast: CompressionMethod };
const { leastVarying } = (await import(moduleUnder('# Adding a method that looks, without training'))) as {
  leastVarying: CompressionMethod;
};
const { readingStripes } = (await import(moduleUnder('# Adding a task'))) as {
  readingStripes(model: Pick<Model, 'forward'>): Task;
};

const { keepFirstKind } = (await import(moduleUnder('# Adding a kind of decision'))) as {
  keepFirstKind: DecisionKind;
};

const { imageSize, classes } = toyShape;

/** The same model with a logit for each direction and each place, and fresh parameters. */
function reader({ model: classifier, params }: TinyModel): TinyModel {
  disposeTree(params);
  const config = denseConfigOf(classifier);
  if (!visionTransformerFamily.is(config))
    throw new Error(`expected a vision transformer, got a ${config.kind}`);
  const model = visionTransformer({ ...config, classes: classes + imageSize });
  return { model, params: initialize<TensorTree>(model.specs, 1) };
}

/** Stripes by what is said of them. */
const read = ({ size, batch }: Dataset<PairBatch>): Dataset<unknown> => ({
  size,
  batch: async (indices, ...rest) => {
    const { size, images, imageGroups } = await batch(indices, ...rest);
    return {
      size,
      images,
      directions: imageGroups.map((group) => Math.floor(group / imageSize)),
      places: imageGroups.map((group) => group % imageSize),
    };
  },
});
const { train: training, validation, test } = toyPairs({ size: 48 });
const stripeReaders: TinyKind = {
  name: 'reader of stripes',
  makeModel: () => reader(visionTransformers.makeModel()),
  makeVariant: (seed) => reader(visionTransformers.makeVariant(seed)),
  data: { train: read(training), validation: read(validation), test: read(test) },
  taskOf: readingStripes,
};

describeMethod(dropLast, { options: { search: '6it' } });
// The task adds its loss, its batches and its scores to what has been shown of the method.
describeMethod(dropLast, {
  options: { search: '6it' },
  kinds: [stripeReaders],
  laws: /masked and cut|killed|scores before/,
});
describeMethod(leastVarying, { kinds: [visionTransformers, crossEncoders] });

describe('the example of a kind of decision', () => {
  const table = [...decisionKinds, keepFirstKind];
  let tiny: TinyModel;
  beforeAll(async () => {
    await startEngine('wasm');
    tiny = visionTransformers.makeModel();
  });
  afterAll(() => disposeTree(tiny.params));
  const decided = (make: (units: number) => SiteDecision): Decision => ({
    version: 1,
    sites: Object.fromEntries(tiny.model.sites.map(({ id, units }) => [id, make(units)])),
  });
  const firstThree = (): Decision => decided((units) => ({ kind: 'keep-first', units, count: 3 }));

  it('plans, cuts and is read as the units that it keeps', () => {
    const { model, params } = tiny;
    const first = firstThree();
    const same = decided((units) => ({ kind: 'keep', units, kept: [0, 1, 2] }));
    expect(planOf(model.sites, first, table)).toEqual(planOf(model.sites, same));
    const [own, other] = [cutTree(params, model.sites, first, table), cutTree(params, model.sites, same)];
    expect(entriesOf(own).map(([path, { shape }]) => [path, shape])).toEqual(
      entriesOf(other).map(([path, { shape }]) => [path, shape]),
    );
    disposeTree([own, other]);
    const saved: unknown = JSON.parse(JSON.stringify(first));
    expect(decisionSchemaOf(table).parse(saved)).toEqual(first);
  });

  it('is checked, and refused by name where the table does not have it', () => {
    const { model } = tiny;
    const first = firstThree();
    const tooMany = decided((units) => ({ kind: 'keep-first', units, count: units + 1 }));
    expect(() => planOf(model.sites, tooMany, table)).toThrow(/the first \d+ cannot be kept/);
    expect(() => model.shrink(first)).toThrow(
      'there is no kind of decision called keep-first; known are keep, heads, share',
    );
    expect(decisionSchemaOf(decisionKinds).safeParse(first).success).toBe(false);
  });
});

describe('the example of a task', () => {
  beforeAll(async () => {
    await startEngine('wasm');
  });

  const adversary = { places: ['patches'], steps: 2, stepSize: 1e-2, divergence: 1 } as const;
  it.each<[string, (task: Task, params: TensorTree) => Partial<Training<TensorTree, TensorTree>>]>([
    ['by itself', () => ({})],
    ['against an adversary', () => ({ adversary })],
    [
      'beside a teacher',
      (task, params) => ({ teacher: { predict: (batch) => task.predict(params, batch), weight: 0.2 } }),
    ],
  ])('is learned %s', async (_how, options) => {
    const { model, params } = stripeReaders.makeModel();
    const task = stripeReaders.taskOf(model);
    const scoresOf = (tree: TensorTree) =>
      evaluate(task, tree, evaluationBatches(stripeReaders.data.test, 10));
    const trained = await train({
      params,
      state: {},
      task,
      objective: (tree: TensorTree) => ({ params: tree }),
      optimizer: adamw<TensorTree>({ schedule: constant(5e-3) }),
      batches: trainingBatches(stripeReaders.data.train, { batchSize: 16, seed: 1, augment: false }),
      steps: 60,
      ...options(task, params),
    });
    const [before, after] = [await scoresOf(params), await scoresOf(trained.params)];
    expect(Object.keys(after)).toEqual(['both', 'direction', 'place']);
    expect(after['place']).toBeGreaterThan((before['place'] ?? Number.NaN) + 20);
    disposeTree([params, trained.params]);
  });
});
