import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { advice, referencePages } from '../../../scripts/reference/pages.mjs';
import { openApiOf } from '../../../scripts/reference/open-api.mjs';
import { createAdmin } from '../../../src/admin/admin.js';
import { createProgram } from '../../../src/cli/program.js';
import * as closeCodes from '../../../src/core/close-codes.js';
import * as durations from '../../../src/core/durations.js';
import * as errors from '../../../src/core/errors.js';
import * as presets from '../../../src/core/presets.js';
import * as settings from '../../../src/core/settings.js';
import * as writtenSettings from '../../../src/config/written-settings.js';
import * as events from '../../../src/events/edge-events.js';
import { createMooring } from '../../../src/index.js';
import * as instrument from '../../../src/telemetry/instrument.js';
import * as instruments from '../../../src/telemetry/instruments.js';

const root = join(import.meta.dirname, '../../..');
const tables = {
  ...settings,
  ...writtenSettings,
  ...durations,
  ...presets,
  ...closeCodes,
  ...errors,
  ...events,
  ...instrument,
  ...instruments,
} as unknown as Parameters<typeof referencePages>[0]['tables'];
const mooring = createMooring({ env: {} });
const openApi = await openApiOf(createAdmin({ mooring, access: 'loopback' }));
await mooring.stop();
const pages = referencePages({ tables, program: createProgram(), openApi });

describe('the reference', () => {
  it.each(Object.keys(pages))('%s says what the code says (npm run docs writes it)', (name) => {
    expect(readFileSync(join(root, 'docs/reference', name), 'utf8')).toBe(pages[name]);
  });

  it('has every event', () => {
    const { eventNames } = events;
    expect(eventNames.length).toBeGreaterThan(20);
    for (const name of eventNames) expect(pages['events.md']).toContain(`| \`${name}\` |`);
  });

  it('has the fields of every event, from its type', () => {
    expect(pages['events.md']).toContain('| `userId` `threadId` `key` `managerCount` `waitedMs` |');
    expect(pages['events.md']).not.toMatch(/ \| {2}\|/);
  });

  it('has every metric', () => {
    for (const [name] of instruments.namedInstruments) expect(pages['metrics.md']).toContain(`| \`${name}\` |`);
  });

  it('has every route, its parameters and its answers', () => {
    const operations = Object.entries(openApi.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ title: `${method.toUpperCase()} ${path}`, operation })),
    );
    expect(operations.length).toBeGreaterThan(12);
    for (const { title, operation } of operations) {
      const [, section = ''] = pages['http.md']!.split(`\n### ${title}\n`);
      const own = section.split('\n#')[0];
      for (const { name } of operation.parameters ?? []) expect(own, title).toContain(`| \`${name}\` |`);
      for (const name of Object.keys(operation.requestBody?.content['application/json']?.schema.properties ?? {}))
        expect(own, title).toContain(`| \`${name}\``);
      expect(own, title).toMatch(/\nAnswers \S+/);
    }
    for (const name of Object.keys(openApi.components.schemas)) expect(pages['http.md']).toContain(`\n### ${name}\n`);
  });

  it('leads nowhere that is not there', () => {
    const anchors = [...pages['http.md']!.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    );
    for (const [, anchor] of pages['http.md']!.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  });

  it('says what to do about every close', () => {
    expect(Object.keys(advice).sort()).toEqual(Object.keys(closeCodes.closeCodes).sort());
  });
});
