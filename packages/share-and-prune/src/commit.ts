import type { Decision, Share, Site } from '@winnow/core';
import { type Choices, type Group, alwaysStored, groupsOf, standingAt } from './groups';
import type { BySubLayer } from './layout';
import { type Pairing, prunedKinds } from './pairing';

/** Confidences in host memory, by sub-layer: positive where a vector says 1, the greater the surer. */
export type Confidences = BySubLayer<ArrayLike<number>>;

/** The outcome of committing a learned structure. */
export interface Committed {
  readonly choices: Choices;
  /** Parameters stored by the structure as it was learned. */
  readonly learned: number;
  readonly stored: number;
  /** Gates that had to be moved against their sign to meet the budget. */
  readonly moved: number;
}

/** One entry of a learned vector. */
interface Gate {
  readonly group: Group;
  readonly id: string;
  readonly vector: 'share' | 'keep';
  readonly entry: number;
  readonly unit: number;
  readonly confidence: number;
}

/**
 * The structure that the hypernetwork is sure of, without noise, moved to the budget: the gates of least confidence go
 * first, and only where that brings the count nearer to the target. At most `target` parameters are stored afterwards, and
 * less than a unit below it where there is something to give back. Every sub-layer keeps a unit.
 * @throws {RangeError} when the target is below what can be reached.
 */
export function commit(pairing: Pairing, confidences: Confidences, target: number): Committed {
  const groups = groupsOf(pairing);
  const choices = signsOf(pairing, confidences);
  const tally = tallyOf(pairing, groups, choices);
  for (const group of groups) keepOne(group, choices, confidences, tally);
  const learned = tally.stored();
  let moved = 0;
  const gates = gatesOf(groups, confidences);
  const isOpen = ({ id, vector, entry }: Gate) => choices[id]?.[vector][entry] === 1;
  const move = (gate: Gate, accepts: (after: number) => boolean): void => {
    const change = () => setting(choices[gate.id]?.[gate.vector], gate.entry, isOpen(gate) ? 0 : 1);
    if (tally.attempt(gate.group, gate.unit, change, accepts)) moved += 1;
  };
  for (const gate of gates.filter(isOpen)) {
    if (tally.stored() <= target) break;
    move(gate, (after) => after < tally.stored());
  }
  if (tally.stored() > target) {
    // Single gates have led into a corner: whole units go, but for the surest of each group, which all its members share.
    for (const group of groups) {
      tally.attempt(
        group,
        surestUnit(group, confidences),
        (unit) => sharingUnit(group, choices, unit),
        always,
      );
    }
    for (const { group, unit } of unitsByConfidence(groups, confidences)) {
      if (tally.stored() <= target) break;
      const isLess = (after: number) => after < tally.stored();
      if (tally.attempt(group, unit, () => droppingUnit(group, choices, unit), isLess)) moved += 1;
    }
  }
  if (tally.stored() > target)
    throw new RangeError(`${tally.stored()} parameters are left, the budget allows ${target}`);
  // What is left of the budget goes back, to the gates that were nearly open. One may make room for another: to keep
  // a unit that is shared anyway changes nothing by itself, but lets it become its own.
  const column = Math.min(...groups.map(({ kinds }) => Math.min(...kinds.map(({ size }) => size))));
  const hasRoom = () => target - tally.stored() >= column;
  for (let before = -1; before !== moved && hasRoom();) {
    before = moved;
    for (const gate of gates.filter((gate) => !isOpen(gate)).reverse()) {
      if (!hasRoom()) break;
      move(gate, (after) => after >= tally.stored() && after <= target);
    }
  }
  return { choices, learned, stored: tally.stored(), moved };
}

/** A tally of the parameters that choices store, kept up to date while they change. */
interface Tally {
  stored(): number;
  unitsOf(id: string): number;
  /** Makes a change at one unit of a group and takes it back unless it is accepted and leaves every member a unit. */
  attempt(
    group: Group,
    unit: number,
    change: (unit: number) => Undo,
    accepts: (after: number) => boolean,
  ): boolean;
}

type Undo = () => void;

const always = () => true;

function tallyOf(pairing: Pairing, groups: readonly Group[], choices: Choices): Tally {
  let stored = alwaysStored(pairing);
  const units = new Map(pairing.subLayers.map(({ id }) => [id, 0]));
  const add = (id: string, count: number) => units.set(id, (units.get(id) ?? 0) + count);
  for (const group of groups) {
    for (let unit = 0; unit < group.columns; unit++) {
      const standing = standingAt(group, choices, unit);
      stored += standing.stored;
      group.members.forEach(({ id }, index) => add(id, standing.present[index] ?? 0));
    }
  }
  return {
    stored: () => stored,
    unitsOf: (id) => units.get(id) ?? 0,
    attempt: (group, unit, change, accepts) => {
      const before = standingAt(group, choices, unit);
      const undo = change(unit);
      const now = standingAt(group, choices, unit);
      const gained = group.members.map(
        (_, index) => (now.present[index] ?? 0) - (before.present[index] ?? 0),
      );
      const after = stored - before.stored + now.stored;
      const leavesUnits = group.members.every(({ id }, index) => {
        const gain = gained[index] ?? 0;
        return gain >= 0 || (units.get(id) ?? 0) + gain > 0;
      });
      if (!leavesUnits || !accepts(after)) {
        undo();
        return false;
      }
      stored = after;
      group.members.forEach(({ id }, index) => add(id, gained[index] ?? 0));
      return true;
    },
  };
}

/** Sets an entry, and tells how to take that back. */
function setting(vector: Uint8Array | undefined, entry: number, value: number): Undo {
  const old = vector?.[entry] ?? value;
  vector?.fill(value, entry, entry + 1);
  return () => vector?.fill(old, entry, entry + 1);
}

/** Entries of a group's sharing vectors that prune together: of attention, those of q and k. */
const prunedEntries = (group: Group, unit: number): number[] =>
  prunedKinds(group).map((kind) => kind * group.columns + unit);

/** Prunes a unit in all members of its group, shared as it may be. */
function droppingUnit(group: Group, choices: Choices, unit: number): Undo {
  return together(
    group.members.flatMap(({ id }) => [
      ...prunedEntries(group, unit).map((entry) => setting(choices[id]?.share, entry, 1)),
      setting(choices[id]?.keep, unit, 0),
    ]),
  );
}

/** Shares a unit among all members of its group. */
function sharingUnit(group: Group, choices: Choices, unit: number): Undo {
  return together(
    group.members.flatMap(({ id, lender }) => {
      const value = lender === undefined ? 1 : 0;
      return prunedEntries(group, unit).map((entry) => setting(choices[id]?.share, entry, value));
    }),
  );
}

const together =
  (undos: readonly Undo[]): Undo =>
  () => {
    for (const undo of undos) undo();
  };

/** 1 where the confidence is positive. */
function signsOf({ subLayers }: Pairing, confidences: Confidences): Choices {
  const signs = (values: ArrayLike<number> = []) =>
    Uint8Array.from(Array.from(values), (confidence) => (confidence > 0 ? 1 : 0));
  return Object.fromEntries(
    subLayers.map(({ id, lender }) => {
      const share = signs(confidences[id]?.share);
      return [
        id,
        { share: lender === undefined ? share.fill(1) : share, keep: signs(confidences[id]?.keep) },
      ];
    }),
  );
}

/** Every gate that may move, the least sure to stay first; ties go to the earlier one. */
function gatesOf(groups: readonly Group[], confidences: Confidences): Gate[] {
  const gates = groups.flatMap((group) =>
    group.members.flatMap(({ id, lender }) => {
      const gatesIn = (vector: 'share' | 'keep'): Gate[] =>
        Array.from(confidences[id]?.[vector] ?? [], (confidence, entry) => ({
          group,
          id,
          vector,
          entry,
          unit: entry % group.columns,
          confidence,
        }));
      return [...(lender === undefined ? [] : gatesIn('share')), ...gatesIn('keep')];
    }),
  );
  return gates.sort((a, b) => a.confidence - b.confidence);
}

/** Makes sure that no sub-layer loses all its units: the one that was surest to stay does. */
function keepOne(group: Group, choices: Choices, confidences: Confidences, tally: Tally): void {
  for (const { id } of group.members) {
    if (tally.unitsOf(id) > 0) continue;
    const keep = Array.from(confidences[id]?.keep ?? []);
    const surest = keep.reduce((best, value, unit) => (value > (keep[best] ?? -Infinity) ? unit : best), 0);
    tally.attempt(group, surest, () => setting(choices[id]?.keep, surest, 1), always);
  }
}

/** The unit that the members of a group are the surest to keep. */
function surestUnit({ members, columns }: Group, confidences: Confidences): number {
  const sums = Array.from({ length: columns }, (_, unit) =>
    members.reduce((total, { id }) => total + (confidences[id]?.keep[unit] ?? 0), 0),
  );
  return sums.reduce((best, sum, unit) => (sum > (sums[best] ?? -Infinity) ? unit : best), 0);
}

/** Units of all groups, those first whose members are the least sure to keep them. */
function unitsByConfidence(groups: readonly Group[], confidences: Confidences) {
  return groups
    .flatMap((group) =>
      Array.from({ length: group.columns }, (_, unit) => ({
        group,
        unit,
        confidence: group.members.reduce((total, { id }) => total + (confidences[id]?.keep[unit] ?? 0), 0),
      })),
    )
    .sort((a, b) => a.confidence - b.confidence);
}

/** The decision of resolved choices, for the core. */
export function decisionOf(pairing: Pairing, choices: Choices, sites: readonly Site[]): Decision {
  const decided = new Map<string, Record<string, string[]>>(sites.map(({ id }) => [id, {}]));
  for (const group of groupsOf(pairing)) {
    for (let unit = 0; unit < group.columns; unit++) {
      const { own, present } = standingAt(group, choices, unit);
      group.members.forEach((subLayer, member) => {
        const columns = decided.get(subLayer.id);
        subLayer.kinds.forEach(({ name, isPruned }, kind) => {
          const isThere = !isPruned || present[member] === 1;
          const letter = own[member]?.[kind] === 0 ? 'b' : isThere ? 'k' : 'p';
          if (columns !== undefined) (columns[name] ??= []).push(letter);
        });
      });
    }
  }
  return {
    version: 1,
    sites: Object.fromEntries(
      sites.map(({ id, units }): [string, Share] => {
        const { lender } = pairing.byId(id);
        const columns = Object.fromEntries(
          Object.entries(decided.get(id) ?? {}).map(([part, letters]) => [part, letters.join('')]),
        );
        return [id, { kind: 'share', units, ...(lender === undefined ? {} : { lender }), columns }];
      }),
    ),
  };
}
