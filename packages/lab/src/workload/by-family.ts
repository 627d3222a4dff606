import { UserError, asDense } from '@winnow/core';
import { z } from 'zod';
import type { OpenedModel } from '../model-source/open-model';
import { refuseRegions, regionsShape } from '../regions/options';
import type { WorkloadKind } from './workload';

/** A task whose models may be of several families. */
export interface FamilyTask<Name extends string> {
  /** Kinds by the family of their models. */
  readonly members: Readonly<Record<Name, WorkloadKind>>;
  /** Names of the families, the usual one first. */
  readonly names: readonly [Name, ...Name[]];
  /** Those that read regions. */
  readonly ofRegions: readonly Name[];
  /** Families in words, for the option. */
  readonly says: string;
}

/**
 * A task by the family that its options name, or that the model is of. A model of one goes on as such, but for those of the usual family,
 * of which another may take the towers.
 * @param asked The family that options name otherwise.
 */
export function byFamily<Name extends string>(
  { members, names, ofRegions, says }: FamilyTask<Name>,
  asked: (options: unknown, family: Name | undefined) => Name | undefined = (_, family) => family,
): WorkloadKind {
  const [usual] = names;
  const base = members[usual];
  const familyOption = z.enum(names).optional().describe(says);
  const shape = { family: familyOption };
  const familyIn = (options: unknown): Name | undefined =>
    asked(
      options,
      familyOption.parse(z.looseObject({ family: z.unknown().optional() }).parse(options).family),
    );
  const isMember = (kind: string): kind is Name => Object.hasOwn(members, kind);
  const familyOfModel = (opened: OpenedModel): Name | undefined => {
    const { kind } = asDense(opened);
    return isMember(kind) ? kind : undefined;
  };
  const memberFor = (family: Name, options: unknown): WorkloadKind => {
    if (ofRegions.length > 0 && !ofRegions.includes(family)) refuseRegions(options, family);
    return members[family];
  };
  return {
    ...base,
    modelKinds: [...names],
    modelShape: { ...base.modelShape, ...shape },
    dataShape: { ...base.dataShape, ...(ofRegions.length > 0 ? regionsShape : {}) },
    givenShape: { ...base.givenShape, ...shape },
    create: (choice, options) => memberFor(familyIn(options) ?? usual, options).create(choice, options),
    adapt: (choice, opened, options, head) => {
      const [own, wanted] = [familyOfModel(opened), familyIn(options)];
      const family = own === undefined || own === usual ? (wanted ?? own ?? usual) : own;
      if (wanted !== undefined && wanted !== family)
        throw new UserError(`--family ${wanted}: the model is a ${family}, and goes on as such`);
      return memberFor(family, options).adapt(choice, opened, options, head);
    },
    open: (choice, opened, options) =>
      memberFor(familyOfModel(opened) ?? usual, options).open(choice, opened, options),
  };
}
