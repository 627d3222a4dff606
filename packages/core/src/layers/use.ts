/**
 * The name of one use of a map in a forward pass, by the path of the map: some run more than once, on other tokens each time.
 * @param use From 0 on, in the order in which they run.
 */
export const useName = (path: string, use: number): string => (use === 0 ? path : `${path}@${use}`);

/** The path of the map that a use is of. */
export const pathOfUse = (name: string): string => name.replace(/@\d+$/, '');

const changed = (name: string, change: (path: string) => string): string => {
  const path = pathOfUse(name);
  return `${change(path)}${name.slice(path.length)}`;
};

/** Names a part of a use: `a@1` has the `scores` `a.scores@1`. */
export const withinUse = (name: string, key: string): string => changed(name, (path) => `${path}.${key}`);

/** The use that one stands within: `a.query@1` in `a@1`. */
export const aroundUse = (name: string): string =>
  changed(name, (path) => path.slice(0, path.lastIndexOf('.')));
