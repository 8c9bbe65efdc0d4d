/**
 * Changes to TypeScript sources that are described by syntax: white space, comments, moved lines and moved files make no
 * difference to them, nor do renamed variables if the pattern has a placeholder for each.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

/**
 * @typedef {object} Edit
 * @property {string} in where: `Class.member`, `Class.#member`, `Class.constructor`, the name of a function, or
 *   `object.method` of a constant
 * @property {string} find an expression, or statements, which end with `;`. It must be there once. `$name` stands for
 *   any expression; the same name for the same expression
 * @property {string} replace takes its place; may use the placeholders of `find`
 */

/** The parsed files of a folder, or of some folders below it. */
export class Sources {
  /** @type {Map<string, ts.SourceFile>} by path below the folder */
  #files = new Map();

  /** @param {string} folder @param {readonly string[]} below @default the folder itself */
  constructor(folder, below = ['']) {
    for (const part of below) {
      for (const name of readdirSync(join(folder, part), { recursive: true, encoding: 'utf8' })) {
        const file = join(part, name);
        if (file.endsWith('.ts')) this.#files.set(file, parse(readFileSync(join(folder, file), 'utf8')));
      }
    }
  }

  /** The source of a file as it is. @param {string} file */
  textOf(file) {
    return this.#files.get(file)?.text ?? '';
  }

  /**
   * The changed files. All edits look for their places in the sources as they are.
   *
   * @param {readonly Edit[]} edits
   * @returns {Map<string, string>} the new source by file
   * @throws Error if an edit has no place, or more than one
   */
  edited(edits) {
    const changes = edits.map((edit) => this.#changeFor(edit)).sort((a, b) => b.start - a.start);
    /** @type {Map<string, string>} */
    const changed = new Map();
    for (const { file, start, end, text } of changes) {
      const source = changed.get(file) ?? this.textOf(file);
      changed.set(file, source.slice(0, start) + text + source.slice(end));
    }
    return changed;
  }

  /** @param {Edit} edit */
  #changeFor({ in: name, find, replace }) {
    const declarations = [...this.#files].flatMap(([file, source]) =>
      declarationsOf(source, name).map((node) => ({ file, node })),
    );
    const [declared] = declarations;
    if (declared === undefined || declarations.length > 1) {
      throw new Error(`Wanted one declaration of ${name}, found ${declarations.length}.`);
    }
    const places = placesIn(declared.node, patternOf(find));
    const [place] = places;
    if (place === undefined || places.length > 1) {
      throw new Error(`Wanted one place in ${name} (${declared.file}) that fits ${find} – found ${places.length}.`);
    }
    const text = replace.replace(/\$\w+/g, (placeholder) => place.bound.get(placeholder)?.getText() ?? placeholder);
    return { file: declared.file, start: place.start, end: place.end, text };
  }
}

/** @param {string} source */
function parse(source) {
  return ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true);
}

/** @param {ts.SourceFile} source @param {string} name @returns {ts.Node[]} */
function declarationsOf(source, name) {
  const [outer = '', member] = name.split('.');
  const named = source.statements.filter(
    (statement) =>
      (ts.isClassDeclaration(statement) || ts.isFunctionDeclaration(statement)) && statement.name?.text === outer,
  );
  if (member === undefined) return named;
  const methods = methodsOf(source, outer).filter((method) => nameOf(method) === member);
  return [
    ...named.filter(ts.isClassDeclaration).flatMap(({ members }) => members.filter((one) => nameOf(one) === member)),
    ...methods,
  ];
}

/** The methods of a constant object, frozen or not. @param {ts.SourceFile} source @param {string} name */
function methodsOf(source, name) {
  const declared = source.statements
    .filter(ts.isVariableStatement)
    .flatMap(({ declarationList }) => [...declarationList.declarations])
    .filter((declaration) => ts.isIdentifier(declaration.name) && declaration.name.text === name);
  return declared.flatMap(({ initializer }) => {
    let value = initializer;
    while (value !== undefined && (ts.isSatisfiesExpression(value) || ts.isCallExpression(value))) {
      value = ts.isCallExpression(value) ? value.arguments[0] : value.expression;
    }
    return value !== undefined && ts.isObjectLiteralExpression(value)
      ? value.properties.filter(ts.isMethodDeclaration)
      : [];
  });
}

/** @param {ts.ClassElement | ts.MethodDeclaration} member */
function nameOf(member) {
  if (ts.isConstructorDeclaration(member)) return 'constructor';
  return member.name !== undefined && 'text' in member.name ? member.name.text : '';
}

/** @param {string} find @returns {ts.Node[]} statements, or one expression */
function patternOf(find) {
  const statements = [...parse(find).statements];
  const [only] = statements;
  const isExpression = statements.length === 1 && !find.trimEnd().endsWith(';');
  return isExpression && only !== undefined && ts.isExpressionStatement(only) ? [only.expression] : statements;
}

/**
 * @typedef {object} Place
 * @property {number} start
 * @property {number} end
 * @property {Map<string, ts.Node>} bound what each placeholder stands for
 */

/**
 * Wherever consecutive children of a node fit the pattern.
 *
 * @param {ts.Node} node
 * @param {ts.Node[]} pattern
 * @returns {Place[]}
 */
function placesIn(node, pattern) {
  const children = childrenOf(node);
  return children.flatMap((child, index) => {
    const run = children.slice(index, index + pattern.length);
    /** @type {Map<string, ts.Node>} */
    const bound = new Map();
    const isHere = fitAll(pattern, run, bound);
    const here = isHere ? [{ start: child.getStart(), end: run.at(-1)?.end ?? child.end, bound }] : [];
    return [...here, ...placesIn(child, pattern)];
  });
}

/** @param {ts.Node[]} patterns @param {ts.Node[]} nodes @param {Map<string, ts.Node>} bound @returns {boolean} */
function fitAll(patterns, nodes, bound) {
  return (
    patterns.length === nodes.length &&
    patterns.every((pattern, index) => {
      const node = nodes[index];
      return node !== undefined && fits(pattern, node, bound);
    })
  );
}

/** @param {ts.Node} pattern @param {ts.Node} node @param {Map<string, ts.Node>} bound @returns {boolean} */
function fits(pattern, node, bound) {
  if (ts.isIdentifier(pattern) && pattern.text.startsWith('$')) return bind(pattern.text, node, bound);
  if (pattern.kind !== node.kind) return false;
  const parts = childrenOf(pattern);
  return parts.length === 0 && childrenOf(node).length === 0
    ? pattern.getText() === node.getText()
    : fitAll(parts, childrenOf(node), bound);
}

/** @param {string} name @param {ts.Node} node @param {Map<string, ts.Node>} bound */
function bind(name, node, bound) {
  if (!ts.isExpression(node)) return false;
  const before = bound.get(name);
  bound.set(name, before ?? node);
  return before === undefined || before.getText() === node.getText();
}

/** Without comments and without the commas that formatters add. @param {ts.Node} node */
function childrenOf(node) {
  const children = node.getChildren().filter((child) => !ts.isJSDoc(child));
  const isList = node.kind === ts.SyntaxKind.SyntaxList;
  return isList && children.at(-1)?.kind === ts.SyntaxKind.CommaToken ? children.slice(0, -1) : children;
}
