import {
  type Budget,
  type RunEvent,
  UserError,
  budgetUnits,
  disposeTree,
  leastKeep,
  stepsIn,
} from '@winnow/core';
import { type Laboratory, type Law, demand } from './law';
import { compressTiny, retraining, stepsPerEpoch } from './subject';

const budget: Budget = { unit: 'compressible-parameters', keep: 0.5 };

/** The laws of a method's promises to its user. */
export function contractLaws({ subject, outcomeOf }: Laboratory): Law[] {
  const { method, options, kind } = subject;
  return [
    {
      name: 'every option has a default and a description',
      check: async () => {
        const defaults = method.configure({}).options;
        for (const [key, schema] of Object.entries(method.options.shape)) {
          demand(defaults[key] !== undefined, `option ${key} has no default`);
          // zod keeps a description with one schema object: help sees the outermost.
          const described = 'description' in schema && Boolean(schema.description);
          demand(described, `option ${key} has no description (describe it last, after its default)`);
        }
        return Promise.resolve();
      },
    },
    {
      name: "an unknown option is the user's mistake, with a suggestion",
      check: async () => {
        for (const key of Object.keys(method.options.shape)) {
          const error = caught(() => method.configure({ [`${key}x`]: 1 }));
          demand(error instanceof UserError && error.exitCode === 2, `option ${key}x is accepted`);
          const { message } = error;
          demand(message.includes(`did you mean ${key}?`), `no suggestion for ${key}x: ${message}`);
        }
        const error = caught(() => method.configure({ 'no such option at all': 1 }));
        demand(error instanceof UserError, 'an unknown option is accepted');
        return Promise.resolve();
      },
    },
    {
      name: "a budget that cannot be reached is the user's mistake, found before any work",
      check: async () => {
        const { model, params } = kind.makeModel();
        disposeTree(params);
        const configured = method.configure(options);
        for (const unit of subject.units) {
          const least = leastKeep(model, unit, method.manifest.granularity);
          const impossible: Budget = { unit, keep: least / 2 };
          const refused = caught(() => configured.plan(model, impossible));
          demand(refused instanceof UserError, `the plan accepts ${unit} × ${impossible.keep}`);
          const { smallestKeep: planned } = configured.plan(model, { unit, keep: 0.9 });
          demand(
            planned >= least && planned < 0.9,
            `the plan promises ${unit} × ${planned}, ${least} is possible`,
          );
          const justTooSmall = caught(() => configured.plan(model, { unit, keep: planned * 0.999 }));
          demand(
            justTooSmall instanceof UserError,
            `the plan accepts less than the ${unit} × ${planned} that it promises`,
          );

          const events: RunEvent[] = [];
          const failed = await compressTiny(subject, {
            budget: impossible,
            onEvent: (event) => events.push(event),
          }).then(
            () => undefined,
            (error: unknown) => error,
          );
          demand(
            failed instanceof UserError && failed.exitCode === 2,
            `${unit}: the run gives ${String(failed)}`,
          );
          demand(events.length === 0, `${unit}: work was done before the budget was refused`);
        }
      },
    },
    {
      name: "a unit that the method does not count is the user's mistake",
      check: async () => {
        const { model, params } = kind.makeModel();
        disposeTree(params);
        for (const unit of budgetUnits.filter((unit) => !subject.units.includes(unit))) {
          const refused = caught(() => method.configure(options).plan(model, { unit, keep: 0.9 }));
          demand(refused instanceof UserError, `the plan accepts ${unit}`);
        }
        return Promise.resolve();
      },
    },
    {
      name: 'the run has the phases of the plan, and scores before, between and after them',
      check: async () => {
        const { result } = await outcomeOf(budget);
        const { model, params } = kind.makeModel();
        disposeTree(params);
        const plan = method.configure(options).plan(model, budget);
        const planned = [
          ...plan.phases.map(
            ({ name, duration }) => `${name}: ${stepsIn(duration, stepsPerEpoch(kind))} steps`,
          ),
          `retrain: ${retraining.steps} steps`,
        ].join(', ');
        const observations = new Map(plan.observations?.map(({ name, examples }) => [name, examples]));
        const trainings = result.ledger.filter(({ phase }) => !observations.has(phase));
        const run = trainings.map(({ phase, steps }) => `${phase}: ${steps} steps`).join(', ');
        demand(run === planned, `planned was ${planned}; run was ${run}`);
        for (const [name, examples] of observations) {
          const line = result.ledger.find(({ phase }) => phase === name);
          demand(line !== undefined, `${name} was planned, and nothing was observed`);
          const seen = Math.min(examples, Math.max(kind.data.train.size, kind.data.validation.size));
          demand(
            line.examples <= seen,
            `${name} observed ${line.examples} examples, planned were ${examples}`,
          );
        }

        const { dense, masked, cut, milestones, retrained } = result.scores;
        const scores = [dense, masked, cut, retrained, ...milestones.map((milestone) => milestone.scores)];
        demand(milestones.length === retraining.milestones.length, 'milestones are missing');
        const [last] = milestones.slice(-1);
        demand(
          JSON.stringify(last?.scores) === JSON.stringify(retrained),
          'the scores at the last step are not the final ones',
        );
        const { metric } = kind.taskOf(model);
        for (const found of scores) {
          const isWhole = metric in found && Object.values(found).every(Number.isFinite);
          demand(isWhole, 'a score is missing or is not a number');
        }
      },
    },
  ];
}

function caught(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}
