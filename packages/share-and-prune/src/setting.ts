import type { Sharing } from './pairing';

/** Which text layers may share with one another (Section 3; Table 1), by the methods of the family. */
export const settings = {
  /** Full sharing: vision has the text tower's columns from the start; nothing is learned or pruned. */
  'full-sharing': { layers: 'none' },
  /** SP: vision may share with text, and both are pruned. */
  sp: { layers: 'none' },
  /** LWSP: the text tower is one block, whose layers may share with the first. */
  lwsp: { layers: 'all' },
  /** BWSP: the text tower is in blocks. The paper's method. */
  bwsp: { layers: 'blocks' },
  /** BWSP without R_w: the structure is found for weights that stay as they are. */
  'bwsp-unaligned': { layers: 'blocks' },
} as const;

export type SettingName = keyof typeof settings;
export type Setting = (typeof settings)[SettingName];

/** The sharing of a setting in towers of so many layers; |B| blocks of equal length begin with their base layers. */
export function sharingIn(
  { layers: across }: Pick<Setting, 'layers'>,
  layers: number,
  blocks: number,
): Sharing {
  switch (across) {
    case 'none':
      return { acrossTowers: true, baseLayers: [] };
    case 'all':
      return { acrossTowers: true, baseLayers: [0] };
    case 'blocks': {
      const baseLayers = Array.from({ length: blocks }, (_, block) => Math.floor((block * layers) / blocks));
      return { acrossTowers: true, baseLayers: [...new Set(baseLayers)] };
    }
    default:
      return across satisfies never;
  }
}
