import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { advice, referencePages } from '../../../scripts/reference/pages.mjs';
import { createProgram } from '../../../src/cli/program.js';
import * as closeCodes from '../../../src/core/close-codes.js';
import * as durations from '../../../src/core/durations.js';
import * as errors from '../../../src/core/errors.js';
import * as presets from '../../../src/core/presets.js';
import * as settings from '../../../src/core/settings.js';
import * as instrument from '../../../src/telemetry/instrument.js';
import * as instruments from '../../../src/telemetry/instruments.js';

const root = join(import.meta.dirname, '../../..');
const tables = {
  ...settings,
  ...durations,
  ...presets,
  ...closeCodes,
  ...errors,
  ...instrument,
  ...instruments,
} as unknown as Parameters<typeof referencePages>[0]['tables'];
const eventsSource = readFileSync(join(root, 'src/core/events.ts'), 'utf8');
const pages = referencePages({ tables, eventsSource, program: createProgram() });

describe('the reference', () => {
  it.each(Object.keys(pages))('%s says what the code says (npm run docs writes it)', (name) => {
    expect(readFileSync(join(root, 'docs/reference', name), 'utf8')).toBe(pages[name]);
  });

  it('has every event', () => {
    const body = eventsSource.slice(
      eventsSource.indexOf('export interface MooringEvents'),
      eventsSource.indexOf('export type MooringEventName'),
    );
    const names = [...body.matchAll(/^ {2}'([^']+)':/gm)].map(([, name = '']) => name);
    expect(names.length).toBeGreaterThan(20);
    for (const name of names) expect(pages['events.md']).toContain(`| \`${name}\` |`);
  });

  it('has every metric', () => {
    for (const [name] of instruments.namedInstruments) expect(pages['metrics.md']).toContain(`| \`${name}\` |`);
  });

  it('says what to do about every close', () => {
    expect(Object.keys(advice).sort()).toEqual(Object.keys(closeCodes.closeCodes).sort());
  });
});
