import {
  type Decision,
  type Site,
  blockLists,
  copiesOf,
  headsKind,
  keptUnits,
  withinUse,
} from '@winnow/core';
import type { MeasuredProduct, PartFacts } from '@winnow/onnx';
import { type Check, checked } from './check';
import type { Expectation, ExpectedAttention, ExpectedPart, ExpectedProduct } from './expectation';

/** Checks what the files say of themselves, and the file beside them that says how pictures are prepared. */
export function checkLabels(
  parts: readonly PartFacts[],
  { metadata, preparation }: Pick<Expectation, 'metadata' | 'preparation'>,
  preparationBeside: string | undefined,
): Check {
  const wrong = parts.flatMap((part) => {
    const texts = Object.entries(metadata).flatMap(([name, text]) =>
      part.metadata[name] === text
        ? []
        : [`${part.name}: ${name} is ${said(part.metadata[name])}, not ${said(text)}`],
    );
    const own = part.metadata['winnow.preprocessing'];
    return own === preparation || !part.inputs.some(({ name }) => name === 'pixel_values')
      ? texts
      : [...texts, `${part.name}: pictures are prepared otherwise in its metadata than the model's are`];
  });
  const beside =
    preparationBeside === preparation
      ? []
      : ['preprocessor_config.json beside the files prepares pictures otherwise than the model does'];
  return checked(
    'labels',
    [...wrong, ...beside],
    ['precision, classes, decision and preparation of pictures in the files are those of the model'],
  );
}

const said = (text: string | undefined): string =>
  text === undefined ? 'missing' : text.length > 60 ? `${text.slice(0, 57)}…` : text;

/** The decision says of each site how many units or heads are left, of each tower how many blocks: so many the model has. */
export function checkDecision({
  decision,
  model,
  units,
}: Pick<Expectation, 'decision' | 'model' | 'units'>): Check {
  if (decision === undefined)
    return { name: 'decision', verdict: 'left out', says: ['the model is not one that was cut'] };
  const wrong: string[] = [];
  let sites = 0;
  for (const [id, decided] of Object.entries(decision.sites)) {
    const site = model.sites.find((own) => own.id === id);
    if (site === undefined) continue;
    if (headsKind.is(decided)) {
      sites += 1;
      if (decided.kept.length !== copiesOf(site))
        wrong.push(`${id}: the decision keeps ${decided.kept.length} heads, the model has ${copiesOf(site)}`);
    } else if (decided.kind === 'keep') {
      sites += 1;
      const left = keptUnits(decision, site).length;
      if (left !== units.get(id))
        wrong.push(`${id}: the decision keeps ${left} units, the model has ${String(units.get(id))}`);
    }
  }
  const lists = wrongLists(decision, model.sites);
  return checked(
    'decision',
    [...wrong, ...lists.wrong],
    decision.blocks === undefined
      ? [`${sites} sites have the units that the decision keeps`]
      : [`${lists.count} towers have the blocks that the decision keeps`],
  );
}

/** Towers whose blocks are not as many as a decision keeps. */
function wrongLists({ blocks = {} }: Decision, sites: readonly Site[]) {
  const lists = blockLists(sites);
  const wrong = Object.entries(blocks).flatMap(([list, { kept }]) => {
    const left = lists.get(list)?.blocks;
    return left === kept.length
      ? []
      : [`${list}: the decision keeps ${kept.length} blocks, the model has ${String(left)}`];
  });
  return { wrong, count: Object.keys(blocks).length };
}

/** Every parameter stands in one file, number by number; and nothing else does that looks like one. */
export function checkWeights(parts: readonly PartFacts[], { tensors, isShared }: Expectation): Check {
  const found = parts.flatMap((part) => part.tensors.map((tensor) => ({ part: part.name, ...tensor })));
  const wrong: string[] = [];
  for (const [path, { type, shape, sha256, masked }] of tensors) {
    const own = found.filter(({ name }) => name === path);
    if (own.length === 0) wrong.push(`${path} is missing`);
    // Files are apart: what several parts need stands in each of them.
    const places = isShared ? new Set(own.map(({ part }) => part)).size : 1;
    if (own.length > places) wrong.push(`${path} stands in ${own.length} places`);
    for (const one of own) {
      if (one.type !== type) wrong.push(`${path} is ${one.type}, not ${type}`);
      else if (one.shape.join() !== shape.join())
        wrong.push(`${path} is [${one.shape.join(', ')}], not [${shape.join(', ')}]`);
      else if (one.zeros < masked)
        wrong.push(`${path} has ${one.zeros} zeros, and masks take ${masked} away`);
      else if (one.sha256 !== sha256) wrong.push(`${path} holds other numbers than the model`);
    }
  }
  const others = found.filter(({ name }) => !tensors.has(name) && !name.startsWith('constant'));
  wrong.push(...others.map(({ part, name }) => `${part}: ${name} is no parameter of the model`));
  return checked('weights', wrong, [`${tensors.size} parameters are those of the model, number by number`]);
}

/** The widths of every product, as they were when ONNX Runtime made it, are those of the decision and of the engine. */
export function checkWidths(parts: readonly PartFacts[], { parts: expected, norms }: Expectation): Check {
  const wrong: string[] = [];
  let count = 0;
  for (const [name, wanted] of expected) {
    const own = parts.find((part) => part.name === name);
    if (own === undefined) continue; // that a file is missing is told elsewhere
    const within = expected.size === 1 ? '' : `${name}: `;
    wrong.push(...wrongProducts(own, wanted).map((text) => `${within}${text}`));
    count += wanted.products.size + 2 * wanted.attentions.size + wanted.resizes.size;
  }
  const measured = parts.flatMap((part) => part.norms);
  for (const [weight, width] of norms) {
    const own = measured.filter((norm) => norm.weight === weight);
    if (own.length === 0) wrong.push(`the layer norm of ${weight} is missing`);
    for (const { shape } of own)
      if (shape.at(-1) !== width)
        wrong.push(`the layer norm of ${weight} is over ${String(shape.at(-1))}, not ${width}`);
  }
  return checked('widths', wrong, [
    `${count} products and ${norms.size} layer norms have the widths of the model, measured as they ran`,
  ]);
}

/** The products and resized grids of a file that are not those of the engine, a sentence each. */
function wrongProducts(part: PartFacts, { products, attentions, resizes }: ExpectedPart): readonly string[] {
  const wrong: string[] = [];
  const found = new Map(part.products.map((product) => [product.name, product] as const));
  if (found.size < part.products.length) wrong.push('two products have one name');
  for (const [path, wanted] of products) {
    const own = found.get(path);
    if (own === undefined) wrong.push(`the product ${path} is missing`);
    else if (!isProduct(own, wanted))
      wrong.push(
        `${path} is ${shapeText(own)}, not [${wanted.rows}, ${wanted.inner}] · [${wanted.inner}, ${wanted.columns}]`,
      );
    found.delete(path);
  }
  for (const [path, wanted] of attentions) {
    const names = [withinUse(path, 'scores'), withinUse(path, 'heard')] as const;
    const [scores, heard] = [found.get(names[0]), found.get(names[1])];
    if (scores === undefined || heard === undefined) wrong.push(`the products of ${path} are missing`);
    else if (!isAttention(scores, heard, wanted)) {
      const { heads, queryKeyDim, headDim } = wanted;
      wrong.push(
        `${path} has products ${shapeText(scores)} and ${shapeText(heard)}, not of ${heads} heads of ${queryKeyDim} and ${headDim}`,
      );
    }
    for (const name of names) found.delete(name);
  }
  wrong.push(...[...found.keys()].map((name) => `the product ${name} is none of the model`));
  for (const [path, [rows, columns]] of resizes)
    if (!part.resizes.some(({ name, result }) => name === path && sizeOf(result) === rows * columns))
      wrong.push(`${path} is not resized to ${rows} rows of ${columns}`);
  wrong.push(
    ...part.resizes.flatMap(({ name }) =>
      resizes.has(name) ? [] : [`${name} is resized, which the model does not do`],
    ),
  );
  return wrong;
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);

/** A shape without the batch of one before its last two axes. */
const asMatrix = (shape: readonly number[]): string => {
  const outer = shape.slice(0, -2);
  return (outer.every((extent) => extent === 1) ? shape.slice(-2) : shape).join();
};

const shapeText = ({ left, right }: MeasuredProduct): string =>
  `[${left.join(', ')}] · [${right.join(', ')}]`;

const isProduct = (
  { left, right, result }: MeasuredProduct,
  { rows, inner, columns }: ExpectedProduct,
): boolean =>
  asMatrix(left) === [rows, inner].join() &&
  asMatrix(right) === [inner, columns].join() &&
  asMatrix(result) === [rows, columns].join();

function isAttention(scores: MeasuredProduct, heard: MeasuredProduct, wanted: ExpectedAttention): boolean {
  const { heads, queryKeyDim, headDim, tokens, context } = wanted;
  return (
    scores.left.join() === [1, heads, tokens, queryKeyDim].join() &&
    scores.right.join() === [1, heads, queryKeyDim, context].join() &&
    scores.result.join() === [1, heads, tokens, context].join() &&
    heard.right.join() === [1, heads, context, headDim].join() &&
    heard.result.join() === [1, heads, tokens, headDim].join()
  );
}
