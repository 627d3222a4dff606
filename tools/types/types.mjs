/**
 * Checks the types of all packages and of the app, and writes the declarations that the packages ship.
 *
 *   node tools/types/types.mjs
 *
 * A package's sources are read by all that need it: one program for everybody checks each file once, where a compiler for each
 * package would check the core as often as there are packages. The declarations of packages/NAME/src go to packages/NAME/types.
 */
import { existsSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { fileOfModule, withExtensions } from './extensions.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A folder with a tsconfig.json, read: its files, and its options. */
function projectIn(folder) {
  const host = {
    ...ts.sys,
    onUnRecoverableConfigFileDiagnostic: (diagnostic) => {
      throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
    },
  };
  const { fileNames, options, errors } = ts.getParsedCommandLineOfConfigFile(
    join(folder, 'tsconfig.json'),
    {},
    host,
  );
  return { folder, fileNames, options, errors };
}

const projects = ['packages', 'apps']
  .flatMap((parent) => readdirSync(join(root, parent)).map((name) => join(root, parent, name)))
  .filter((folder) => existsSync(join(folder, 'tsconfig.json')))
  .map(projectIn);

/** Projects that see the same globals are checked together: a page has a document, the core has none. */
const together = new Map();
for (const project of projects) {
  const globals = String(project.options.lib);
  together.set(globals, [...(together.get(globals) ?? []), project]);
}

const parsed = new Map();

/** A host that parses no file twice, whichever program asks for it. */
function hostFor(options) {
  const host = ts.createCompilerHost(options);
  const read = host.getSourceFile.bind(host);
  host.getSourceFile = (name, ...rest) => {
    if (!parsed.has(name)) parsed.set(name, read(name, ...rest));
    return parsed.get(name);
  };
  return host;
}

const problems = projects.flatMap(({ errors }) => errors);
for (const members of together.values()) {
  const options = {
    ...members[0].options,
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: root,
    outDir: root,
  };
  const files = members.flatMap(({ fileNames }) => fileNames);
  const program = ts.createProgram(files, options, hostFor(options));
  problems.push(...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics());
  for (const file of files.map((name) => program.getSourceFile(name)))
    problems.push(...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file));
  if (problems.length === 0) for (const { folder } of members) declare(program, folder);
}

/** Writes the declarations of the sources that a package's entries reach. */
function declare(program, folder) {
  if (dirname(folder) !== join(root, 'packages')) return;
  const sources = join(folder, 'src');
  const types = join(folder, 'types');
  const target = (name) => join(types, relative(sources, name));
  rmSync(types, { recursive: true, force: true });
  for (const name of reachable(entriesOf(folder), sources)) {
    const file = program.getSourceFile(name);
    if (file.isDeclarationFile) {
      ts.sys.writeFile(target(name), file.text);
      continue;
    }
    const { diagnostics } = program.emit(
      file,
      (written, text) => ts.sys.writeFile(target(written), text),
      undefined,
      true,
      { afterDeclarations: [withExtensions(sources)] },
    );
    problems.push(...diagnostics);
  }
}

/** The sources that a package's `exports` name. */
function entriesOf(folder) {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return Object.values(exports).map((entry) => join(folder, entry['@winnow/source']));
}

/** Files, those that they import or refer to, and so on, within a folder. */
function reachable(entries, folder) {
  const found = new Set();
  const waiting = [...entries];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (found.has(name)) continue;
    found.add(name);
    const { importedFiles, referencedFiles } = ts.preProcessFile(readFileSync(name, 'utf8'));
    const modules = importedFiles
      .map(({ fileName }) => fileName)
      .filter((each) => each.startsWith('.') && !each.endsWith('.json'));
    waiting.push(
      ...modules.map((each) => fileOfModule(each, name, folder).path),
      ...referencedFiles.map(({ fileName }) => join(dirname(name), fileName)),
    );
  }
  return found;
}

if (problems.length > 0) {
  const shown = ts.sortAndDeduplicateDiagnostics(problems);
  const format = process.stdout.isTTY ? ts.formatDiagnosticsWithColorAndContext : ts.formatDiagnostics;
  console.error(
    format(shown, {
      getCurrentDirectory: () => process.cwd(),
      getCanonicalFileName: (name) => name,
      getNewLine: () => '\n',
    }),
  );
  process.exitCode = 1;
}
