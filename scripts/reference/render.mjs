/** Renders the reference pages from the code's own tables, so that neither can say what the other does not. */

import { page, table } from './markdown.mjs';
import { operatingSession } from './operating-session.mjs';

/** @typedef {{ kind: string, about: string, default?: unknown }} Setting */

/**
 * @param {{
 *   settings: Record<string, Setting>,
 *   presets: Record<string, Record<string, unknown>>,
 *   outsideName: (name: string) => string,
 *   variableName: (name: string) => string,
 *   writeDuration: (valueMs: number) => string,
 * }} tables
 */
export function renderConfig({ settings, presets, outsideName, variableName, writeDuration }) {
  const write = (/** @type {Setting} */ setting, /** @type {unknown} */ value) =>
    setting.kind === 'duration' && typeof value === 'number' ? writeDuration(value) : written(value);
  const rows = Object.entries(settings).map(([name, setting]) => {
    const value =
      'default' in setting
        ? write(setting, setting.default)
        : 'follows' in setting
          ? 'see there'
          : ['production', 'staging', 'development'].map((env) => write(setting, presets[env]?.[name])).join(' / ');
    return [`\`${name}\``, value, `\`${outsideName(name)}\`, \`${variableName(name)}\``, setting.about];
  });
  return page('Configuration', [
    'In code, `createMooring({ idleManagerTimeoutMs: 120_000 })`: durations are milliseconds and end in',
    '`Ms`. Outside code the `Ms` is dropped and a unit is required: `--set idleManagerTimeout=120s`,',
    '`MOORING_IDLE_MANAGER_TIMEOUT=2m`, or `{ "idleManagerTimeout": "120s" }` in a file. Precedence: flags, code,',
    'environment variables, file, preset; one override never resets the others. Mistakes are reported all at once, at start.',
    '',
    'The former name of `slowConsumerTimeout`, `stalled` (`stalledMs` in code, `MOORING_STALLED`), goes on working.',
    '',
    '`mooring config` and `GET /api/v1/config` show each value with its source: `flag`, `code`, `environment`, `file`,',
    '`machine` (what `mooring serve` takes from this machine, such as its limit of file descriptors), `demo` (what',
    '`mooring demo` is made for) or `preset`.',
    '',
    'The environment is `MOORING_ENV`, else `NETRA_ENV` (an unknown value fails), else `NODE_ENV` (an unknown value means',
    'development, and the log says so), else development. Three values separated by `/` are production, staging and',
    'development; `test` is development.',
    '',
    table(['setting', 'default', 'outside code', 'meaning'], rows),
  ]);
}

/** @param {{ closeCodes: Record<string, number>, advice: Record<string, string> }} tables */
export function renderCloseCodes({ closeCodes, advice }) {
  const rows = Object.entries(closeCodes).map(([cause, code]) => [`\`${cause}\``, String(code), advice[cause] ?? '']);
  return page('Close codes', [
    'Every close by Mooring carries a code and a reason of at most 123 bytes that machines read first: the cause, then',
    '`;retry=<seconds>` where it applies and, for `quota`, `;max=<limit>`, e.g. `1013 quota;retry=30.25;max=20`. For malformed ids the',
    'reason is the field and the rule; for credentials it is what is wrong with them. `retry` is jittered for each client.',
    'The setting `closeCodes` changes the code of a cause. `graphql-ws` is a profile of codes that its client obeys.',
    '',
    table(['cause', 'code', 'when, and what the client should do'], rows),
    '',
    'Clients need not know the table: `shouldReconnect(event)` of `mooring/client` does, and `explainClose(event)` says it in words.',
  ]);
}

/** @param {{ errorCodes: Record<string, string> }} tables */
export function renderErrors({ errorCodes }) {
  const rows = Object.entries(errorCodes).map(([code, meaning]) => [`\`${code}\``, meaning]);
  return page('Errors', [
    'Failures that operating the software brings with it are `MooringError`s with a stable `code`. Expected refusals are',
    'returned, as `RefusalError`s with the close frame to send, not thrown. Programming mistakes throw `TypeError`s.',
    '',
    table(['code', 'meaning'], rows),
  ]);
}

/**
 * @param {{ eventTable: Record<string, { readonly about: string }> }} tables
 * @param {Record<string, string[]>} fields the names of the fields, by event
 */
export function renderEvents({ eventTable }, fields) {
  const rows = Object.entries(eventTable).map(([name, { about }]) => [
    `\`${name}\``,
    about,
    (fields[name] ?? []).map((field) => `\`${field}\``).join(' '),
  ]);
  return page('Events', [
    '`mooring.on(name, listener)` listens to one kind, `mooring.events.onAny(listener)` to all. Each event is a plain object',
    'with `type`, `atMs` (wall-clock time, for display) and its own fields, and is emitted after the state has changed. A',
    'listener that throws is reported as `listener.failed` and stops nothing.',
    '',
    table(['event', 'when', 'fields'], rows),
  ]);
}

/** @typedef {import('../../src/telemetry/instrument.js').Instrument} Instrument */

/**
 * @param {{
 *   instruments: Record<string, Instrument>,
 *   openTelemetryName: (name: string, instrument: Instrument) => string,
 *   otherValue: string,
 * }} tables
 */
export function renderMetrics({ instruments, openTelemetryName, otherValue }) {
  const rows = Object.entries(instruments).map(([name, each]) => [
    `\`${name}\``,
    each.kind,
    each.about,
    labelsOf(each.labels),
    `\`${openTelemetryName(name, each)}\`${each.unit === '' ? '' : `, \`${each.unit}\``}`,
  ]);
  const buckets = Object.entries(instruments).flatMap(([name, each]) =>
    each.kind === 'histogram' ? [[`\`${name}\``, each.buckets.join(', ')]] : [],
  );
  return page('Metrics', [
    '`mooring/prometheus` and `mooring/opentelemetry` measure the same: [the guide](../guides/metrics.md) says how to',
    'get at them. Counters and histograms are fed by the [events](events.md); gauges are read when somebody collects. Both',
    'cost the same for ten managers as for fifty thousand.',
    '',
    'No label names a user, a thread or a key, and every label has the values listed here and no others; what is none of',
    `them is counted as \`${otherValue}\`. In Prometheus what can be foreseen begins at 0; in OpenTelemetry it appears with the`,
    'first event. A collector that hands the OpenTelemetry metrics to Prometheus gives them the names of the first column.',
    '',
    table(['metric', 'kind', 'meaning', 'labels and their values', 'in OpenTelemetry: name, unit'], rows),
    '',
    '## Buckets',
    '',
    'Upper bounds, in seconds.',
    '',
    table(['histogram', 'bounds'], buckets),
  ]);
}

/** @param {Instrument['labels']} labels */
function labelsOf(labels) {
  const written = Object.entries(labels).map(
    ([label, values]) => `\`${label}\`: ${values.map((value) => `\`${value}\``).join(' ')}`,
  );
  return written.join('; ');
}

/**
 * @param {string} help of `mooring`
 * @param {Record<string, string>} commands the help of each command, by name
 */
export function renderCli(help, commands) {
  const block = (/** @type {string} */ text) => ['```text', text.trimEnd(), '```'];
  return page('Command line', [
    'The command `mooring` is in a package of its own: `npm install --global mooring-cli`, or `npx mooring-cli serve` without',
    'installing it. In a clone of the repository, after `npm ci`, it is `npx mooring`, and `npm start` runs',
    '`mooring serve --port 8080`, the server of the demo.',
    '',
    ...block(help),
    ...Object.entries(commands).flatMap(([name, text]) => ['', `## mooring ${name}`, '', ...block(text)]),
    '',
    '## Operating a running server',
    '',
    '`check`, `cleanup`, `release`, `users`, `explain`, `kpis`, `events`, `top` and `config` ask the admin API of a server that runs:',
    '`http://127.0.0.1:9090`, or the one of `--url` or `MOORING_ADMIN_URL`, with the token of `--token` or',
    '`MOORING_ADMIN_TOKEN` where the server wants one. With `--json` they print what the API answers. What comes from outside,',
    'such as a user id, is shown with everything written out that a terminal would obey. An id that begins with a dash goes',
    'behind two: `mooring check -- -x`.',
    '',
    ...operatingSession.flatMap(({ about, command, output }) => [about, '', ...block(`$ ${command}\n${output}`), '']),
    '## Exit codes',
    '',
    table(
      ['code', 'when'],
      [
        [
          '0',
          'Done. For `serve`, `events` and `top`: ended in good order by Ctrl-C or SIGTERM. For `cleanup`, also where somebody was released.',
        ],
        ['1', 'Trouble, as below, or what was asked for could not be done.'],
        ['2', 'The arguments, the configuration or an id are wrong. Every mistake of the configuration is listed.'],
        ['3', 'No admin API could be reached, or what answers there is none.'],
        ['130, 143', 'Ctrl-C, or SIGTERM: the second one while `serve` stops, the first one in a day of `simulate`.'],
      ],
    ),
    '',
    table(
      ['command', 'what 1 means'],
      [
        ['`serve`', 'It could not run: a port that is taken, a host that does not exist.'],
        ['`simulate`', 'A promise was broken, a metric failed, or nobody came.'],
        ['`check`', 'The user is at `warning` or above, or nothing is known of them.'],
        ['`cleanup`', 'There was not enough time, or nothing is known of the user.'],
        ['`release`', 'Nothing was released.'],
        ['`explain`', 'Nothing is known of the user, or the server keeps no journal.'],
        ['`kpis`', 'A metric fails.'],
        [
          'all that ask a server',
          'The token is missing, wrong or may only look, or the server is of another version than the command.',
        ],
      ],
    ),
    '',
    '`events` and `top` go on while a server they have reached is gone, say so, and are back when it is.',
    '',
    'Where nobody reads its output to the end, as in `mooring simulate --json | head -1`, the command ends without a word and',
    'with the exit code it would have had. `serve` serves on.',
    '',
    '## Stopping',
    '',
    'The first Ctrl-C or SIGTERM shuts admission, closes everybody with 1012 `drain;retry=<seconds>` in waves of',
    '`drainWaveSize`, waits for hooks and close frames within their times, and exits with 0. The second exits at once.',
  ]);
}

/** @param {unknown} value */
function written(value) {
  if (value === null) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
