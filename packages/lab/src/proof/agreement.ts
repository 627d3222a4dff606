import type { Answers, ModelPart, PartFacts } from '@winnow/onnx';
import type { OpenedModel } from '../model-source/open-model';
import type { OnnxPrecision } from '../onnx/precision';
import type { Check } from './check';
import { type Agreement, checkAgreement } from './check-answers';
import { digestOfExamples } from './digest';
import { engineAnswers } from './engine-answers';
import { type Asked, type RealPictures, distinctTexts } from './real-pictures';

/** The agreement of files and engine about real pictures, which have this digest. */
export type SeenAgreement = Agreement & { readonly picturesSha256: string };

type Known = Extract<RealPictures, { readonly asked: Asked }>;
const NOTHING = new Float32Array();

/** Whether the answers of a part's file about real pictures are needed. */
export function isAskedPart({ name }: ModelPart, pictures: RealPictures): boolean {
  if (pictures.pictures === undefined) return false;
  const { asked } = pictures;
  return asked.kind === 'classes'
    ? asked.part.name === name
    : [asked.pictures, asked.texts].some(({ part }) => part.name === name);
}

/** Compares the classes that files and engine take real pictures for, or the texts that they find best. */
export async function agreementOf(
  opened: OpenedModel,
  pictures: RealPictures,
  found: readonly PartFacts[],
  { precision, signal }: Stoppable & { readonly precision: OnnxPrecision },
): Promise<{ readonly check: Check; readonly agreement: SeenAgreement | undefined }> {
  if (pictures.pictures === undefined)
    return {
      check: { name: 'agreement', verdict: 'left out', says: [pictures.why] },
      agreement: undefined,
    };
  const { asked, examples, fewer } = pictures;
  const known = { precision, examples, fewer, signal };
  const { check, agreement } =
    asked.kind === 'classes'
      ? await ofClasses(opened, pictures, asked, found, known)
      : await ofTexts(opened, pictures, asked, found, known);
  const picturesSha256 = digestOfExamples(...pictures.pictures.values());
  return { check, agreement: agreement === undefined ? undefined : { ...agreement, picturesSha256 } };
}

interface Stoppable {
  readonly signal?: AbortSignal | undefined;
}
type Told = Pick<Parameters<typeof checkAgreement>[2], 'precision' | 'examples' | 'fewer'> & Stoppable;

async function ofClasses(
  opened: OpenedModel,
  { pictures }: Known,
  { part, output, classes, words, labels }: Extract<Asked, { readonly kind: 'classes' }>,
  found: readonly PartFacts[],
  known: Told,
) {
  const own = examplesOf(pictures, part);
  const engine = await engineAnswers(opened, part, own, { signal: known.signal });
  const answered = fileAnswers(found, part)[output];
  const read = words === undefined ? undefined : engine[words.read];
  const told = (logits: Float32Array | undefined) =>
    words === undefined || read === undefined || logits === undefined
      ? logits
      : orNone(logits, read, { classes, least: words.least });
  return checkAgreement(told(answered), told(engine[output]), {
    ...known,
    ...{ labels, pictures: own.count, told: 'class' },
    classes: words === undefined ? classes : classes + 1,
  });
}

async function ofTexts(
  opened: OpenedModel,
  { pictures }: Known,
  asked: Extract<Asked, { readonly kind: 'texts' }>,
  found: readonly PartFacts[],
  known: Told,
) {
  const { count } = examplesOf(pictures, asked.pictures.part);
  const places = distinctTexts(examplesOf(pictures, asked.texts.part));
  const engine = async ({ part, output }: (typeof asked)['texts']) =>
    (await engineAnswers(opened, part, examplesOf(pictures, part), { signal: known.signal }))[output] ??
    NOTHING;
  const files = ({ part, output }: (typeof asked)['texts']) => fileAnswers(found, part)[output] ?? NOTHING;
  const products = (images: Float32Array, texts: Float32Array) => similarities(images, texts, count, places);
  return checkAgreement(
    products(files(asked.pictures), files(asked.texts)),
    products(await engine(asked.pictures), await engine(asked.texts)),
    { ...known, pictures: count, classes: places.length, told: 'text' },
  );
}

/** Embeddings of length 1 of N pictures and as many texts, [N, E] each → the products of each picture with the texts at some places. */
function similarities(
  images: Float32Array,
  texts: Float32Array,
  count: number,
  places: readonly number[],
): Float32Array {
  if (images.length !== texts.length || images.length === 0) return NOTHING;
  const size = images.length / count;
  return Float32Array.from({ length: count * places.length }, (_, at) => {
    const image = Math.floor(at / places.length) * size;
    const text = (places[at % places.length] ?? 0) * size;
    let product = 0;
    for (let dim = 0; dim < size; dim++)
      product += (images[image + dim] ?? Number.NaN) * (texts[text + dim] ?? Number.NaN);
    return product;
  });
}

const fileAnswers = (found: readonly PartFacts[], { name }: ModelPart): Answers =>
  found.find((own) => own.name === name)?.pictures ?? {};

function examplesOf(all: Known['pictures'], { name }: ModelPart) {
  const own = all.get(name);
  if (own === undefined) throw new RangeError(`there are no examples for ${name}`);
  return own;
}

/** Logits of words [B, N, K] → [B, N, K + 1]: those that are not read, [B, K], are below all others, and behind them is the logit of none. */
function orNone(
  logits: Float32Array,
  read: Float32Array,
  { classes, least }: { readonly classes: number; readonly least: number },
): Float32Array {
  const perExample = (logits.length * classes) / read.length;
  const all = new Float32Array((logits.length / classes) * (classes + 1)).fill(least);
  for (const [at, value] of logits.entries()) {
    const word = at % classes;
    const isRead = read[Math.floor(at / perExample) * classes + word] !== 0;
    all[Math.floor(at / classes) * (classes + 1) + word] = isRead ? value : -Infinity;
  }
  return all;
}
