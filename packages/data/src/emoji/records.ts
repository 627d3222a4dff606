import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { z } from 'zod';
import { DataError } from '../failure/data-error';
import type { PictureContents } from '../identity/picture-contents';
import { readJson } from '../file/read-json';

export const emojiVendors = ['google', 'twitter'] as const;
export type EmojiVendor = (typeof emojiVendors)[number];

/** One emoji, drawn by every vendor. */
export interface EmojiRecord {
  /** Code points in hexadecimal, joined by '-': '1F600'. */
  readonly codePoints: string;
  /** Unicode's name in capitals: 'GRINNING FACE'. */
  readonly name: string;
  /** The name chats know it by: 'grinning'. */
  readonly shortName: string;
  readonly category: string;
  readonly subcategory: string;
  /** Path of each vendor's drawing: PNG, 64×64, RGBA. */
  readonly drawings: Readonly<Record<EmojiVendor, string>>;
}

/** The part of emoji.json that we read; its format is described in the README of the emoji-datasource packages. */
const datasourceEntries = z.array(
  z.object({
    unified: z.string(),
    name: z.string(),
    short_name: z.string(),
    category: z.string(),
    subcategory: z.string(),
    image: z.string(),
    has_img_google: z.boolean(),
    has_img_twitter: z.boolean(),
  }),
);

function packageFolder(vendor: EmojiVendor): string {
  const name = `emoji-datasource-${vendor}`;
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (cause) {
    throw new DataError(
      {
        expected: `the package ${name} to be installed`,
        found: 'no such package',
        advice: 'Run `npm install`.',
      },
      { cause },
    );
  }
}

const manifest = z.object({ version: z.string() });

/**
 * Drawings as what they are called in the packages that they come from, of these versions: nobody edits them there.
 * @throws {DataError} when the packages are missing.
 */
export const drawingContents: PictureContents = async (paths) => {
  const versions = new Map<string, string>();
  for (const vendor of emojiVendors) {
    const { version } = manifest.parse(await readJson(join(packageFolder(vendor), 'package.json')));
    versions.set(vendor, version);
  }
  // …/img/google/64/1f600.png
  return paths.map((path) => {
    const [vendor = '', ...name] = path.split(sep).slice(-3);
    return [vendor, versions.get(vendor), ...name].join('/');
  });
};

/**
 * All emoji that both vendors have drawn, ordered by code points. Skin tone variants are left out: they are further
 * drawings of the same emoji.
 * @throws {DataError} when the packages with the drawings are missing or damaged.
 */
export async function emojiRecords(): Promise<EmojiRecord[]> {
  const folders = { google: packageFolder('google'), twitter: packageFolder('twitter') };
  const listing = join(folders.google, 'emoji.json');
  const parsed = datasourceEntries.safeParse(await readJson(listing));
  if (!parsed.success) {
    throw new DataError(
      {
        expected: `a list of emoji in ${listing}`,
        found: z.prettifyError(parsed.error),
        advice: 'Install the version of emoji-datasource-google that package.json names.',
      },
      { cause: parsed.error },
    );
  }
  const drawing = (vendor: EmojiVendor, image: string) => join(folders[vendor], 'img', vendor, '64', image);
  return parsed.data
    .filter((entry) => entry.has_img_google && entry.has_img_twitter)
    .sort((a, b) => (a.unified < b.unified ? -1 : 1))
    .map((entry) => ({
      codePoints: entry.unified,
      name: entry.name,
      shortName: entry.short_name,
      category: entry.category,
      subcategory: entry.subcategory,
      drawings: { google: drawing('google', entry.image), twitter: drawing('twitter', entry.image) },
    }));
}
