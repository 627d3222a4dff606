/** Ways in which others arrange the values of a parameter of ours. (`convolution` is the patch projection.) */
export type Arrangement =
  /** As ours. */
  | 'same'
  /** [out, in], where ours is [in, out]. */
  | 'transposed'
  /** [1, …], an axis for the batch before ours. */
  | 'batched'
  /** […], without our first axis, which has extent 1. */
  | 'unbatched'
  /** [D, C, P, P], where ours is [P·P·C, D]. */
  | 'convolution';

/** Their name of a parameter; its arrangement, where it is not `transposed` for matrices and `same` for the rest. */
export interface Named {
  readonly name: string;
  readonly arrangement?: Arrangement;
}

/** Their name of a parameter of ours, by our path. */
export type Naming = (path: string) => Named;

/**
 * Their names by ours. A key is the path of a parameter, or the path of a part whose `weight` and `bias` are called so
 * there too.
 */
export type NameTable = Readonly<Record<string, string | Named>>;

export interface TowerNames {
  /** Before the number of a layer. */
  readonly blocks: string;
  readonly inBlock: NameTable;
}

/** Names by which others know the parts of our record. */
export interface Names {
  /** By what stands before `blocks` in our paths: nothing in a model of one tower. */
  readonly towers: Readonly<Record<string, TowerNames>>;
  readonly outside: NameTable;
}

/** The naming that tables of names make. It throws a RangeError for a parameter that they do not know. */
export function namingOf({ towers, outside }: Names): Naming {
  return (path) => {
    const [, prefix = '', layer, inside] = /^(.*?)blocks\.(\d+)\.(.+)$/.exec(path) ?? [];
    const tower = towers[prefix];
    if (tower === undefined || layer === undefined || inside === undefined) return named(path, outside);
    const { name, ...rest } = named(inside, tower.inBlock);
    return { name: `${tower.blocks}.${layer}.${name}`, ...rest };
  };
}

function named(path: string, table: NameTable): Named {
  const whole = table[path];
  if (whole !== undefined) return typeof whole === 'string' ? { name: whole } : whole;
  const [, part = '', ending = ''] = /^(.+?)(\.(?:weight|bias))$/.exec(path) ?? [];
  const name = table[part];
  if (typeof name !== 'string') throw new RangeError(`there is no other name for the parameter ${path}`);
  return { name: name + ending };
}
