import { type Tokenizer, type Picture, tokenizerFrom } from '@winnow/data/preparation';
import { likeliest } from '@winnow/core';
import { z } from 'zod';
import { type Backend, type DemoModel, backends } from '../demo-data';
import { bytesIn, loadPacked, loadRuntime } from './load';
import { measuredByTurns } from './measure';
import { type ModelFiles, type RunningModel, openedModel } from './model';
import { decodedPicture, drawSeen } from './picture';
import { duration } from './numbers';
import { claimOf, demoData, element, modelCard } from './view';

const TOP = 5;
const ROUNDS = 15;
const PAUSE_MS = 400;
const BLANK: Picture = { width: 1, height: 1, pixels: new Uint8Array(3) };
const backendNames: Readonly<Record<Backend, string>> = {
  wasm: 'WebAssembly',
  webgpu: 'WebGPU',
};

// Schemas are read without making code of them, which the page's policy forbids.
z.config({ jitless: true });

const data = demoData();
const [status, progress] = [element('status', HTMLElement), element('progress', HTMLProgressElement)];
const [drop, input] = [element('drop', HTMLLabelElement), element('file', HTMLInputElement)];
const [preview, samples] = [element('preview', HTMLCanvasElement), element('samples', HTMLDivElement)];
const [backend, measure] = [element('backend', HTMLSelectElement), element('measure', HTMLButtonElement)];
const timing = element('timing', HTMLElement);
const texts = data.by === 'texts' ? element('texts', HTMLTextAreaElement) : undefined;
const cards = data.models.map((model) => modelCard(element('models', HTMLDivElement), model));

const files: {
  readonly model: DemoModel;
  readonly files: ModelFiles;
  readonly tokenizer: Tokenizer | undefined;
}[] = [];
let running: readonly RunningModel[] = [];
let names = data.names;
let picture: Picture | undefined;
/** One thing after the other: whatever is asked for meanwhile waits. */
let queue: Promise<void> = Promise.resolve();

function say(text: string, isTrouble = false): void {
  status.textContent = text;
  status.classList.toggle('trouble', isTrouble);
}

/** Does something while nothing else can be asked for, and tells what goes wrong. */
function work(task: () => Promise<void>): void {
  queue = queue.then(async () => {
    enable(false);
    try {
      await task();
    } catch (error) {
      say(error instanceof Error ? error.message : String(error), true);
    }
    progress.hidden = true;
    enable(running.length > 0);
  });
}

function enable(isReady: boolean): void {
  for (const control of [input, backend]) control.disabled = !isReady;
  measure.disabled = !isReady || picture === undefined;
  if (texts !== undefined) texts.disabled = !isReady;
}

const drawn = (): Promise<void> =>
  new Promise((resolve) => {
    requestAnimationFrame(() => {
      setTimeout(resolve);
    });
  });

/** Shows how many of the bytes have come. */
function counting(what: string, all: number): (count: number) => void {
  let done = 0;
  progress.hidden = false;
  return (count) => {
    done += count;
    progress.value = done / all;
    say(`Loading ${what}: ${Math.round((100 * done) / all)} %`);
  };
}

async function loadModels(): Promise<void> {
  const packed = data.models.flatMap(({ vision, text }) =>
    text === null ? [vision] : [vision, text.file, text.tokenizer],
  );
  const onBytes = counting(
    'the models',
    packed.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  for (const model of data.models) {
    const vision = await loadPacked(model.vision, onBytes);
    const { text } = model;
    if (text === null) {
      files.push({ model, files: { vision, text: undefined }, tokenizer: undefined });
      continue;
    }
    const file = await loadPacked(text.file, onBytes);
    const tokenizer = new TextDecoder().decode(await loadPacked(text.tokenizer, onBytes));
    files.push({ model, files: { vision, text: file }, tokenizer: tokenizerFrom(JSON.parse(tokenizer)) });
  }
}

async function runOn(chosen: Backend): Promise<void> {
  const binary = data.runtimes[chosen];
  const runtime = await loadRuntime(chosen, binary, counting('ONNX Runtime', binary.bytes));
  say('Opening the models …');
  await drawn();
  const opened: RunningModel[] = [];
  for (const { model, files: own, tokenizer } of files) {
    const one = await openedModel(runtime, chosen, model, own, tokenizer);
    await one.answer(BLANK); // The first answer takes longer than those that follow.
    opened.push(one);
  }
  for (const model of running) await model.close();
  running = opened;
  await readTexts();
}

async function readTexts(): Promise<void> {
  if (texts === undefined) return;
  const asked = texts.value
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (asked.length < 2) throw new Error('Give two texts at least, one a line: one is told from the others.');
  names = asked;
  for (const model of running) await model.read(asked);
}

async function answer(): Promise<void> {
  if (picture === undefined) {
    say('Ready: give it a picture.');
    return;
  }
  timing.textContent = '';
  const bests: string[] = [];
  for (const [at, model] of running.entries()) {
    const { logits, ms } = await model.answer(picture);
    const best = likeliest(logits, names, TOP, data.exclusion);
    cards[at]?.showAnswer(best, ms);
    bests.push(best[0]?.name ?? '');
  }
  say(
    bests.length < 2
      ? 'This is its answer.'
      : new Set(bests).size === 1
        ? 'Both say the same.'
        : 'They do not say the same.',
  );
}

function take(file: Blob): void {
  work(async () => {
    say('Looking …');
    const decoded = await decodedPicture(file);
    const [first] = data.models;
    if (first !== undefined) drawSeen(preview, decoded, first.preparation);
    element('invitation', HTMLElement).hidden = true;
    picture = decoded;
    await drawn();
    await answer();
  });
}

async function measureTimes(): Promise<void> {
  const own = picture;
  if (own === undefined) return;
  progress.hidden = false;
  const runs = running.map((model) => async () => (await model.answer(own)).ms);
  const { medians, says } = await measuredByTurns(runs, ROUNDS, async (round) => {
    progress.value = round / ROUNDS;
    await drawn();
  });
  for (const [at, ms] of medians.entries()) cards[at]?.showTime(`${duration(ms)} (median)`);
  timing.textContent = `${says} One thread.`.trim();
}

async function changeBackend(): Promise<void> {
  const chosen = backends[backend.selectedIndex] ?? 'wasm';
  try {
    await runOn(chosen);
    await answer();
  } catch (error) {
    if (chosen === 'wasm') throw error;
    backend.selectedIndex = 0;
    await runOn('wasm');
    await answer();
    say('There is no WebGPU for these models here: they run on the processor.', true);
  }
}

function listen(): void {
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file !== undefined) take(file);
    input.value = '';
  });
  for (const name of ['dragenter', 'dragover'] as const)
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add('over');
    });
  for (const name of ['dragleave', 'drop'] as const)
    document.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.remove('over');
    });
  const takeFrom = (given: DataTransfer | null): void => {
    const [file] = given?.files ?? [];
    if (file !== undefined) take(file);
  };
  document.addEventListener('drop', ({ dataTransfer }) => {
    takeFrom(dataTransfer);
  });
  document.addEventListener('paste', ({ clipboardData }) => {
    takeFrom(clipboardData);
  });
  backend.addEventListener('change', () => {
    work(changeBackend);
  });
  measure.addEventListener('click', () => {
    work(measureTimes);
  });
  let waiting: ReturnType<typeof setTimeout> | undefined;
  texts?.addEventListener('input', () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      queue = queue.then(async () => {
        try {
          await readTexts();
          await answer();
        } catch (error) {
          say(error instanceof Error ? error.message : String(error), true);
        }
      });
    }, PAUSE_MS);
  });
}

for (const name of backends) {
  if (name === 'webgpu' && !('gpu' in navigator)) continue;
  backend.append(new Option(backendNames[name], name));
}
for (const { name, source } of data.pictures) {
  const button = document.createElement('button');
  button.type = 'button';
  const image = new Image();
  Object.assign(image, { src: source, alt: name });
  button.append(image);
  button.addEventListener('click', () => {
    take(blobOf(source));
  });
  samples.append(button);
}
element('claim', HTMLElement).textContent = claimOf(data);
listen();
work(async () => {
  await loadModels();
  await runOn('wasm');
  await answer();
});

/** The bytes of a data URI, which the page's policy does not let it fetch. */
function blobOf(source: string): Blob {
  const comma = source.indexOf(',');
  return new Blob([bytesIn(source.slice(comma + 1))], {
    type: source.slice('data:'.length, source.indexOf(';')),
  });
}
