import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** Declarations that name another module: `import … from`, `export … from`, with or without `type`. */
const naming = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm;

/** The file that a relative import means; undefined for a package. */
function fileOf(importer, source) {
  if (!source.startsWith('.')) return undefined;
  const path = resolve(dirname(importer), source);
  return [path, `${path}.ts`, join(path, 'index.ts')].find(
    (file) => /\.[cm]?[jt]s$/.test(file) && existsSync(file),
  );
}

const graph = new Map();
/** The files that a file imports. They are read once: circles are looked for from every file. */
function importsOf(file) {
  let found = graph.get(file);
  if (found === undefined) {
    const text = readFileSync(file, 'utf8');
    found = [...text.matchAll(naming)].flatMap(([, from, bare]) => fileOf(file, from ?? bare) ?? []);
    graph.set(file, found);
  }
  return found;
}

/** The files on the shortest way from one file to another, both of them included; undefined where there is none. */
function way(from, to) {
  const before = new Map([[from, undefined]]);
  for (const file of before.keys()) {
    if (file === to) {
      const files = [];
      for (let at = file; at !== undefined; at = before.get(at)) files.unshift(at);
      return files;
    }
    for (const next of importsOf(file)) if (!before.has(next)) before.set(next, file);
  }
  return undefined;
}

/** Visits every declaration that names another module. */
const declarations = (visit) => {
  const each = (node) => node.source && visit(node, node.source.value);
  return { ImportDeclaration: each, ExportNamedDeclaration: each, ExportAllDeclaration: each };
};

/** Refuses an import through which a file comes back to itself. Imports of types count: they are dependencies, too. */
const noCircles = {
  meta: { type: 'problem', schema: [] },
  create: (context) =>
    declarations((node, source) => {
      const target = fileOf(context.filename, source);
      const files = target && way(target, context.filename);
      if (files === undefined) return;
      const names = [context.filename, ...files].map((file) => relative(context.cwd, file));
      context.report({ node, message: `a circle of imports: ${names.join(' → ')}` });
    }),
};

/** Refuses an import from a floor above the file's own, and folders that stand on no floor. */
const floors = {
  meta: {
    type: 'problem',
    schema: [
      {
        type: 'object',
        properties: { root: { type: 'string' }, floors: { type: 'array' } },
        required: ['root', 'floors'],
        additionalProperties: false,
      },
    ],
  },
  create: (context) => {
    const [{ root, floors: stories }] = context.options;
    const sources = resolve(context.cwd, root);
    /** The folder of a file of these sources; undefined for files outside of them, and for those beside the folders. */
    const folderOf = (file) => {
      const [folder, ...rest] = relative(sources, file).split(sep);
      return folder === '..' || rest.length === 0 ? undefined : folder;
    };
    const floorOf = (folder) => stories.findIndex(({ folders }) => folders.includes(folder));
    const own = folderOf(context.filename);
    if (own === undefined) return {};
    if (floorOf(own) < 0) {
      return {
        Program: (node) =>
          context.report({
            node,
            message: `the folder ${own} stands on no floor: add it to tools/lint/floors.mjs`,
          }),
      };
    }
    return declarations((node, source) => {
      const target = fileOf(context.filename, source);
      const folder = target && folderOf(target);
      if (folder === undefined || floorOf(folder) <= floorOf(own)) return;
      const [lower, upper] = [own, folder].map((name) => stories[floorOf(name)]?.name ?? 'none');
      context.report({
        node,
        message: `${own} (floor: ${lower}) must not import from ${folder} (floor: ${upper}), which stands above it`,
      });
    });
  },
};

/** ESLint rules about which file may import which. */
export const imports = { rules: { 'no-circles': noCircles, floors } };
