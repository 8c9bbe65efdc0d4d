import { aligned } from './table.js';

/** A configuration, for people: each setting as it is written outside code, its value, and where that came from. */
export function settingsTable(environment: string, rows: readonly (readonly string[])[]): string {
  return `environment: ${environment}\n\n${aligned([['setting', 'value', 'source'], ...rows])}\n`;
}
