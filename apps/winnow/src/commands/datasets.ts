import { namedDatasets } from '@winnow/data';
import { print } from '../terminal/terminal';
import type { Command } from './command';

export const datasetsCommand: Command = {
  name: 'datasets',
  summary: 'The datasets that are there by name',
  startsRun: false,
  groups: () => [],
  run: ({ terminal }) => {
    const width = Math.max(...namedDatasets.map(({ name }) => name.length));
    for (const { name, description } of namedDatasets) {
      print(terminal.stdout, `${name.padEnd(width)}  ${description}`);
    }
    print(
      terminal.stdout,
      `${'a folder'.padEnd(width)}  train/<class>/*, test/<class>/* and, if there is one, validation/<class>/*; or <class>/* alone`,
    );
    print(
      terminal.stdout,
      `${'a table'.padEnd(width)}  CSV or JSON lines of image, label and, if wanted, split`,
    );
    for (const [kind, what] of [
      [
        'captions',
        "for --task retrieval: COCO's folders or JSON, Karpathy's JSON, or a CSV of image, caption",
      ],
      ['statements', "for --task statements: NLVR2's train.json, with dev.json and test1.json beside it"],
      [
        'entailment',
        "for --task entailment: SNLI-VE's snli_ve_train.jsonl, with those of dev and test beside it",
      ],
      ['phrases', "for --task grounding: MDETR's …_train.json, or a folder with Flickr30k Entities"],
      [
        'questions',
        "for --task questions: GQA's train_balanced_questions.json, with val and testdev beside it",
      ],
      [
        'questions',
        "for --task answers: VQA v2's …OpenEnded_…train…_questions.json, with its annotations and val beside it",
      ],
    ] as const)
      print(terminal.stdout, `${kind.padEnd(width)}  ${what}`);
    return Promise.resolve();
  },
};
