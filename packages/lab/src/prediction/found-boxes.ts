import { mkdir } from 'node:fs/promises';
import { drawnBoxes } from '@winnow/data';
import { writeAtomically } from '@winnow/formats';
import { cocoText } from './coco';
import { drawingFiles } from './drawing-files';
import type { FoundBox } from './predictions';

/** Where boxes are written to. */
export interface BoxFiles {
  /** Folder that drawings are written to. */
  readonly drawings?: string | undefined;
  /** File that the boxes are written to, as COCO has them. */
  readonly coco?: string | undefined;
}

type BoxesOfPictures = ReadonlyMap<string, readonly FoundBox[]>;

/**
 * Makes sure that no drawing takes the place of a picture, and says how boxes are drawn and written afterwards.
 * @throws {UserError} when one would.
 */
export function boxWriter(paths: readonly string[], { drawings, coco }: BoxFiles) {
  const stems = drawings === undefined ? undefined : drawingFiles(paths, drawings, ['.png', '.svg']);
  /** Draws the boxes of each picture as PNG and SVG, and writes all of them; `all` may have more than are drawn. */
  return async (drawn: BoxesOfPictures, all = drawn): Promise<void> => {
    if (stems === undefined && coco === undefined) return;
    if (drawings !== undefined) await mkdir(drawings, { recursive: true });
    const sizes = new Map<string, { readonly width: number; readonly height: number }>();
    for (const [picture, boxes] of drawn) {
      const { png, svg, ...size } = await drawnBoxes(picture, boxes.map(labelled));
      sizes.set(picture, size);
      const stem = stems?.get(picture);
      if (stem === undefined) continue;
      await writeAtomically(`${stem}.png`, png);
      await writeAtomically(`${stem}.svg`, svg);
    }
    if (coco !== undefined) await writeAtomically(coco, cocoText(all, sizes));
  };
}

const labelled = ({ box, name, probability, index }: FoundBox) => ({
  ...{ box, colour: index },
  label: `${name} ${Math.round(100 * probability)} %`,
});
