import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import ts from 'typescript';

/**
 * The file behind a relative module, and the module with the ending that Node's rules ask for.
 * @param from The file that names it.
 * @param root The folder that no module may leave: a type that names a file of another package would need that one's sources.
 * @throws {Error} when it does, or is not there.
 */
export function fileOfModule(specifier, from, root) {
  const target = resolve(dirname(from), specifier);
  if (target !== root && !target.startsWith(`${root}/`))
    throw new Error(`${from}: its declarations name ${specifier}, which is outside of the package.`);
  for (const ending of ['.ts', '.d.ts'])
    if (existsSync(target + ending)) return { path: target + ending, specifier: `${specifier}.js` };
  const path = join(target, 'index.ts');
  if (existsSync(path)) return { path, specifier: `${specifier}/index.js` };
  throw new Error(`${from}: there is no file for ${specifier}.`);
}

/**
 * A transformer of declarations that gives each relative module its ending: sources leave it out, since a bundler reads them, and
 * Node's rules of resolution, by which packages are used, demand it.
 * @param root The folder of the package's sources, which no relative module may leave.
 * @throws {Error} when one does, or is not there.
 */
export const withExtensions = (root) => (context) => (file) => {
  const literal = (node) => {
    const { text } = node;
    const named = text.startsWith('.') ? fileOfModule(text, file.fileName, root).specifier : text;
    return context.factory.createStringLiteral(named, true);
  };
  const visit = (node) => {
    const { factory } = context;
    if (ts.isImportDeclaration(node))
      return factory.updateImportDeclaration(
        node,
        node.modifiers,
        node.importClause,
        literal(node.moduleSpecifier),
        node.attributes,
      );
    if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
      return factory.updateExportDeclaration(
        node,
        node.modifiers,
        node.isTypeOnly,
        node.exportClause,
        literal(node.moduleSpecifier),
        node.attributes,
      );
    if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      const visited = ts.visitEachChild(node, visit, context);
      return factory.updateImportTypeNode(
        visited,
        factory.createLiteralTypeNode(literal(node.argument.literal)),
        visited.attributes,
        visited.qualifier,
        visited.typeArguments,
        visited.isTypeOf,
      );
    }
    return ts.visitEachChild(node, visit, context);
  };
  return ts.visitNode(file, visit);
};
