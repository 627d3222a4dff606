import type { Guess } from '@winnow/core';
import type { DemoData, DemoModel } from '../demo-data';
import { count, duration, fileSize } from './numbers';

/** The card of a model. */
export interface ModelCard {
  showAnswer(best: readonly Guess[], ms: number): void;
  showTime(text: string): void;
}

/** The data that stand in the page. */
export function demoData(): DemoData {
  const data: DemoData = JSON.parse(document.getElementById('data')?.textContent ?? '{}');
  return data;
}

/** @throws {Error} when the page has no such element. */
export function element<Kind extends HTMLElement>(id: string, kind: new () => Kind): Kind {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no #${id}`);
  return found;
}

function made(tag: string, className: string, ...children: readonly (Node | string)[]): HTMLElement {
  const found = document.createElement(tag);
  found.className = className;
  found.append(...children);
  return found;
}

/** Adds the card of a model to the page. */
export function modelCard(parent: HTMLElement, model: DemoModel): ModelCard {
  const time = made('dd', 'time', '–');
  const answers = made('ol', 'answers');
  const hint = made('p', 'empty', 'Its answer will stand here.');
  const fact = (name: string, value: string | Node) =>
    made('div', '', made('dt', '', name), typeof value === 'string' ? made('dd', '', value) : value);
  const card = made(
    'section',
    'model card',
    made('div', '', made('h2', '', model.title), made('p', 'lead', model.summary)),
    made(
      'dl',
      '',
      fact('File', `${fileSize(model.bytes)}, ${model.precision}`),
      fact('Time for a picture', time),
      fact('Parameters', count(model.parameters)),
      fact('Multiply–adds', count(model.macs)),
    ),
    hint,
    answers,
  );
  card.setAttribute('aria-label', model.title);
  parent.append(card);
  return {
    showTime: (text) => {
      time.textContent = text;
    },
    showAnswer: (best, ms) => {
      hint.hidden = true;
      time.textContent = duration(ms);
      answers.replaceChildren(...best.map(answerLine));
    },
  };
}

function answerLine({ name, probability }: Guess): HTMLElement {
  const bar = made('div', 'bar', made('div', ''));
  bar.setAttribute('aria-hidden', 'true');
  const filled = bar.firstElementChild;
  if (filled instanceof HTMLElement) filled.style.width = `${100 * probability}%`;
  const percent = made('span', 'percent', `${(100 * probability).toFixed(1)} %`);
  percent.dataset['probability'] = String(probability);
  return made('li', '', made('span', 'name', name), percent, bar);
}

/** The sentence under the title: how much smaller the second model is. */
export function claimOf({ models }: Pick<DemoData, 'models'>): string {
  const [dense, smaller] = models;
  if (dense === undefined || smaller === undefined)
    return 'The model runs in this browser, on pictures of your own.';
  const times = (ratio: number) => `${Number(ratio.toPrecision(3))}×`;
  return `Both run in this browser, on pictures of your own. The second file is ${times(dense.bytes / smaller.bytes)} smaller, with ${times(dense.macs / smaller.macs)} fewer multiply–adds.`;
}
