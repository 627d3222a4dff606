import { dirname, relative, resolve, sep } from 'node:path';
import type { FoundBox } from './predictions';

/**
 * Boxes as a file of COCO: `images`, `categories` (one for each text that was asked about) and `annotations` with `bbox` [left, top, width,
 * height] in pixels and `score`, and as MDETR's files have it, `caption` of each and `tokens_positive`, the characters that name it.
 * Pictures have the names that they have below the folder of them all, so no two have the same.
 */
export function cocoText(
  found: ReadonlyMap<string, readonly FoundBox[]>,
  sizes: ReadonlyMap<string, { readonly width: number; readonly height: number }>,
): string {
  const texts = new Map([...found.values()].flat().map(({ index, text }) => [index, text]));
  const pictures = [...found].map(([path, boxes], place) => {
    const { width, height } = sizes.get(path) ?? { width: 1, height: 1 };
    return { id: place + 1, path, boxes, width, height };
  });
  const annotations = pictures.flatMap(({ id, boxes, width, height }) =>
    boxes.map(({ box: [left, top, right, bottom], probability, index, text, spans }) => {
      const [across, down] = [(right - left) * width, (bottom - top) * height];
      return {
        image_id: id,
        category_id: index + 1,
        bbox: [left * width, top * height, across, down],
        area: across * down,
        iscrowd: 0,
        score: probability,
        caption: text,
        tokens_positive: spans.map(({ start, end }) => [start, end]),
      };
    }),
  );
  const folder = folderOf([...found.keys()]);
  const nameOf = (path: string): string => relative(folder, resolve(path)).replaceAll(sep, '/');
  const content = {
    images: pictures.map(({ id, path, width, height }) => ({ id, file_name: nameOf(path), width, height })),
    annotations: annotations.map((annotation, place) => ({ id: place + 1, ...annotation })),
    categories: [...texts].sort(([a], [b]) => a - b).map(([index, name]) => ({ id: index + 1, name })),
  };
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

/** The deepest folder that all files lie below. */
function folderOf(paths: readonly string[]): string {
  const folders = paths.map((path) => dirname(resolve(path)).split(sep));
  const [first = [], ...others] = folders;
  const differs = first.findIndex((part, place) => others.some((own) => own[place] !== part));
  return (differs < 0 ? first : first.slice(0, differs)).join(sep) || sep;
}
