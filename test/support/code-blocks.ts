import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { repository } from './fresh-project.js';

/** A block of code of a page. */
export interface CodeBlock {
  readonly page: string;
  /** The line of the page before its first. */
  readonly line: number;
  /** `js ecosystem`: what test/ecosystem runs. */
  readonly language: string;
  readonly text: string;
}

/** Languages whose blocks are compiled. */
const compiled = ['js', 'mjs', 'javascript', 'ts', 'mts', 'typescript'];

/** All fenced blocks of a page, in any language. */
export function codeBlocksOf(page: string): CodeBlock[] {
  const markdown = readFileSync(join(repository, page), 'utf8');
  return [...markdown.matchAll(/^( *)```([\w.-]*(?: ecosystem)?)[^\n]*\n([\s\S]*?)^\1```$/gm)].map((match) => {
    const [, , language = '', text = ''] = match;
    return { page, line: markdown.slice(0, match.index).split('\n').length, language, text };
  });
}

export function isCompiled({ language }: CodeBlock): boolean {
  return compiled.includes(language);
}

/** A block as a module, which exports what it declares. */
export interface BlockModule {
  readonly block: CodeBlock;
  /** Its file, relative to the project. */
  readonly file: string;
  readonly text: string;
}

/**
 * Makes the blocks of a page modules. A name that a block uses and does not declare comes from the nearest block before
 * it, or else from what the text leaves to the reader. The lines stay as they are, so that messages fit.
 * @param readersNames the names that the text leaves to the reader, by the module that has them
 */
export function modulesOf(
  blocks: readonly CodeBlock[],
  readersNames: ReadonlyMap<string, ReadonlySet<string>>,
): BlockModule[] {
  const declaredBefore = new Map<string, string>();
  return blocks.map((block, index) => {
    const file = `${block.page.replaceAll(/[^\w]+/g, '-')}-${String(index + 1)}.ts`;
    const source = ts.createSourceFile(file, block.text, ts.ScriptTarget.Latest, true);
    const declared = declaredIn(source);
    const free = [...usedIn(source)].filter((name) => !declared.has(name));
    const borrowed = free.flatMap((name) => {
      const from = declaredBefore.get(name) ?? moduleWith(name, readersNames);
      return from === undefined ? [] : [`import { ${name} } from '${from}';`];
    });
    for (const name of declared) declaredBefore.set(name, `./${file.replace(/\.ts$/, '.js')}`);
    const exported = [...declared].filter(
      (name) => !new RegExp(String.raw`^export .*\b${name}\b`, 'm').test(block.text),
    );
    return { block, file, text: `${borrowed.join(' ')} ${block.text}export { ${exported.join(', ')} };\n` };
  });
}

function moduleWith(name: string, modules: ReadonlyMap<string, ReadonlySet<string>>): string | undefined {
  return [...modules].find(([, names]) => names.has(name))?.[0];
}

/** The names of the modules that a declaration file declares, each with the names that it has. */
export function declaredModules(file: string): Map<string, Set<string>> {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  const modules = source.statements.filter(ts.isModuleDeclaration);
  return new Map(
    modules.map(({ name, body }) => [
      name.text,
      new Set(body !== undefined && ts.isModuleBlock(body) ? body.statements.flatMap(exportedBy) : []),
    ]),
  );
}

/** The names that a statement of a declared module exports: all that it declares, but for what is imported. */
function exportedBy(statement: ts.Statement): string[] {
  if (ts.isImportDeclaration(statement)) return [];
  const { exportClause } = statement as { exportClause?: ts.Node };
  if (exportClause === undefined || !ts.isNamedExports(exportClause)) return namesOf(statement);
  return exportClause.elements.map(({ name }) => name.text);
}

/** The names that the statements of a file declare. */
function declaredIn({ statements }: ts.SourceFile): Set<string> {
  return new Set(statements.flatMap(namesOf));
}

function namesOf(statement: ts.Statement): string[] {
  if (ts.isVariableStatement(statement))
    return statement.declarationList.declarations.flatMap(({ name }) => boundBy(name));
  if (ts.isImportDeclaration(statement)) return importedBy(statement.importClause);
  const { name } = statement as { name?: ts.Node };
  return name !== undefined && ts.isIdentifier(name) ? [name.text] : [];
}

function boundBy(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) => (ts.isBindingElement(element) ? boundBy(element.name) : []));
}

function importedBy(clause: ts.ImportClause | undefined): string[] {
  const { name, namedBindings: named } = clause ?? {};
  const names =
    named === undefined ? [] : ts.isNamespaceImport(named) ? [named.name] : named.elements.map((each) => each.name);
  return [...(name === undefined ? [] : [name]), ...names].map(({ text }) => text);
}

/** All names in a source but those of properties: what it may take from outside. */
function usedIn(source: ts.SourceFile): Set<string> {
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isPropertyName(node)) used.add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return used;
}

/** `b` of `a.b`, `{ b: a }`, `class { b() {} }`, `const { b: a } = c` and `import { b as a }`. */
function isPropertyName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) || ts.isQualifiedName(parent)) return node !== firstOf(parent);
  if (ts.isBindingElement(parent) || ts.isImportSpecifier(parent)) return parent.propertyName === node;
  const isNamed = ts.isPropertyAssignment(parent) || ts.isClassElement(parent) || ts.isTypeElement(parent);
  return isNamed && parent.name === node;
}

function firstOf(node: ts.PropertyAccessExpression | ts.QualifiedName): ts.Node {
  return ts.isQualifiedName(node) ? node.left : node.expression;
}

/** What is wrong with the modules of pages, in the project where they are, as `page:line: message`. */
export function faultsOf(
  modules: readonly BlockModule[],
  { folder, options }: { readonly folder: string; readonly options: ts.CompilerOptions },
  others: readonly string[] = [],
): string[] {
  const files = new Map(modules.map((module) => [join(folder, module.file), module.block]));
  const program = ts.createProgram([...files.keys(), ...others], options);
  return ts.getPreEmitDiagnostics(program).flatMap(({ file, start, messageText }) => {
    const message = ts.flattenDiagnosticMessageText(messageText, '\n');
    const block = files.get(file?.fileName ?? '');
    const { line } = file?.getLineAndCharacterOfPosition(start ?? 0) ?? { line: 0 };
    if (block === undefined) return `${file?.fileName ?? ''}:${String(line + 1)}: ${message}`;
    return `${block.page}:${String(block.line + line + 1)}: ${message}`;
  });
}
