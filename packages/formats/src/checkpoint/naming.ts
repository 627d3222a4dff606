import type { Naming } from './correspondence';

/** Names by which others know the parts of our record. Keys are our paths, without `weight` and `bias`. */
export interface Names {
  /** Before the number of a layer. */
  readonly blocks: string;
  readonly inBlock: Readonly<Record<string, string>>;
  readonly outside: Readonly<Record<string, string>>;
}

/** The naming that a table of names makes: `weight` and `bias` are called so everywhere. */
export function namingOf({ blocks, inBlock, outside }: Names): Naming {
  const translated = (path: string, names: Readonly<Record<string, string>>): string => {
    const [, part = '', ending = ''] = /^(.+?)(\.(?:weight|bias))?$/.exec(path) ?? [];
    const name = names[part];
    if (name === undefined) throw new RangeError(`there is no other name for the parameter ${path}`);
    return name + ending;
  };
  return (path) => {
    const [, layer, inside] = /^blocks\.(\d+)\.(.+)$/.exec(path) ?? [];
    if (layer === undefined || inside === undefined) return translated(path, outside);
    return `${blocks}.${layer}.${translated(inside, inBlock)}`;
  };
}
