import {
  type Budget,
  type ReconstructionKind,
  type RunEvent,
  UserError,
  compactModel,
  disposeTree,
  entriesOf,
  sizeOf,
} from '@winnow/core';
import { type Laboratory, type Law, demand, demandSame } from './law';
import { compressTiny } from './subject';

const twofold: Budget = { unit: 'compressible-parameters', keep: 0.5 };
const examples = 20;

/** The laws of a reconstruction after the cut, for every method whose decisions are about whole units. */
export function reconstructionLaws({ subject, outcomeOf }: Laboratory): Law[] {
  const { manifest } = subject.method;
  const choice = (kind: ReconstructionKind) => ({ kind, examples });
  if (['weights', 'blocks'].includes(manifest.granularity ?? 'units') || manifest.sharesColumns === true) {
    return [
      {
        name: 'a reconstruction is refused before any work',
        check: async () => {
          const events: RunEvent[] = [];
          const failed = await compressTiny(subject, {
            budget: twofold,
            reconstruct: choice('units'),
            onEvent: (event) => events.push(event),
          }).catch((error: unknown) => error);
          demand(failed instanceof UserError, `expected a UserError, got ${String(failed)}`);
          demand(failed.message.includes(manifest.title), `the method is not named: ${failed.message}`);
          demand(events.length === 0, 'work was done before it was refused');
        },
      },
    ];
  }
  return [
    {
      name: 'a reconstruction changes nothing where nothing is removed',
      check: async () => {
        const everything: Budget = { ...twofold, keep: 1 };
        const plain = await outcomeOf(everything);
        demandSame(
          await compressTiny(subject, { budget: everything, reconstruct: choice('bases') }),
          plain,
          'reconstructed',
        );
      },
    },
    {
      name: 'a reconstruction leaves the sizes as they are decided, no site worse, and is charged',
      check: async () => {
        const plain = await outcomeOf(twofold);
        const { model, params } = subject.kind.makeModel();
        disposeTree(params);
        const kind = 'bases';
        const { decision, result } = await compressTiny(subject, {
          budget: twofold,
          reconstruct: choice(kind),
        });
        const shapes = ({ sites, masks }: typeof decision) =>
          entriesOf(compactModel(model, { version: 1, sites, ...(masks && { masks }) }).specs)
            .map(([path, spec]) => `${path} ${sizeOf(spec)}`)
            .join();
        demand(shapes(decision) === shapes(plain.decision), `${kind}: the sizes are others`);
        for (const [id, { before, after }] of Object.entries(result.reconstruction ?? {})) {
          demand(
            after <= before * (1 + 1e-4) + 1e-9,
            `${kind}: the error at ${id} grows from ${before} to ${after}`,
          );
        }
        const line = result.ledger.find(({ phase }) => phase === 'reconstruct');
        demand(line !== undefined && line.trainingMacs > 0, `${kind}: nothing is charged`);
      },
    },
  ];
}
