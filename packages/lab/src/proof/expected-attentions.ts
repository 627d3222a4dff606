import {
  copiesOf,
  denseConfigOf,
  glipFamily,
  mdetrFamily,
  pathOfUse,
  runningOf,
  uniterFamily,
  useName,
} from '@winnow/core';
import type { OpenedModel } from '../model-source/open-model';
import type { ExpectedAttention, ExpectedProduct } from './expectation';

type Products = ReadonlyMap<string, ExpectedProduct>;

/** Attentions by their names, from the products that make their queries, keys and values: one for each use. */
export function attentionsIn(
  model: OpenedModel['model'],
  products: Products,
): Map<string, ExpectedAttention> {
  const headsOf = headsIn(model);
  const found = new Map<string, ExpectedAttention>();
  for (const [name, query] of products) {
    const path = pathOfUse(name);
    if (!path.endsWith('.query')) continue;
    const [place, use] = [path.slice(0, -'.query'.length), name.slice(path.length)];
    const [key, value] = [products.get(`${place}.key${use}`), products.get(`${place}.value${use}`)];
    const heads = headsOf(place);
    if (key === undefined || value === undefined || heads === undefined) continue;
    found.set(`${place}${use}`, {
      heads,
      queryKeyDim: query.columns / heads,
      headDim: value.columns / heads,
      tokens: query.rows,
      context: key.rows,
    });
  }
  return new Map([...found, ...fusedFromBothSides(model, products)]);
}

/** Heads of the attention at a place: of its site, or of layers that are never cut and have none. */
function headsIn(model: OpenedModel['model']): (place: string) => number | undefined {
  const sites = new Map(runningOf(model).model.sites.map((site) => [site.id, site]));
  const config = denseConfigOf(model);
  return (place) => {
    const site = sites.get(place);
    if (site !== undefined) return copiesOf(site);
    if (mdetrFamily.is(config) && place.startsWith('fusion.')) return config.fusion.heads;
    if (glipFamily.is(config) && place.startsWith('rounds.')) return config.text.tower.heads;
    // The head for statements of a UNITER is never cut.
    if (uniterFamily.is(config) && place.startsWith('paired.')) return config.heads;
    return undefined;
  };
}

/** In the rounds of a GLIP regions look at words, and words at regions, with queries and keys that both sides have in common. */
function fusedFromBothSides(model: OpenedModel['model'], products: Products): [string, ExpectedAttention][] {
  const config = denseConfigOf(model);
  if (!glipFamily.is(config)) return [];
  const { heads } = config.head;
  return [...products].flatMap(([path, query]): [string, ExpectedAttention][] => {
    const place = path.slice(0, -'.imageQuery'.length);
    const key = path.endsWith('.imageQuery') ? products.get(`${place}.textKey`) : undefined;
    if (key === undefined) return [];
    const dim = query.columns / heads;
    const widths = { heads, queryKeyDim: dim, headDim: dim };
    return [
      [`${place}.attention`, { ...widths, tokens: query.rows, context: key.rows }],
      [useName(`${place}.attention`, 1), { ...widths, tokens: key.rows, context: query.rows }],
    ];
  });
}
