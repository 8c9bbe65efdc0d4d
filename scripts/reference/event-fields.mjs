/** The names of the fields of each event, from its type. */

import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '../..');

/** @returns {Record<string, string[]>} the names of the fields, by event */
export function eventFields() {
  const options = { module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ES2022, strict: true, types: [] };
  const program = ts.createProgram([join(root, 'src/events/edge-events.ts')], options);
  const checker = program.getTypeChecker();
  const table = program.getSourceFile(join(root, 'src/core/event-table.ts'));
  const module = table && checker.getSymbolAtLocation(table);
  const events = module && checker.getExportsOfModule(module).find(({ name }) => name === 'MooringEvents');
  if (events === undefined) throw new Error('src/core/event-table.ts exports no MooringEvents');
  const properties = checker.getDeclaredTypeOfSymbol(events).getProperties();
  return Object.fromEntries(
    properties.map((event) => [
      event.name,
      checker
        .getTypeOfSymbol(event)
        .getProperties()
        .map(({ name }) => name),
    ]),
  );
}
