/** Renders the HTTP reference from the OpenAPI document of the admin API. */

import { page, table } from './markdown.mjs';

/**
 * The parts of a JSON schema that the API uses.
 *
 * @typedef {object} Schema
 * @property {string} [$ref]
 * @property {string | string[]} [type]
 * @property {unknown[]} [enum]
 * @property {string} [format]
 * @property {unknown} [default]
 * @property {string} [example]
 * @property {number} [minimum]
 * @property {number} [maximum]
 * @property {number} [maxLength]
 * @property {string} [description]
 * @property {Schema} [items]
 * @property {Schema[]} [anyOf]
 * @property {Schema[]} [allOf] what it extends, and its own fields
 * @property {Record<string, Schema>} [properties]
 * @property {string[]} [required]
 * @property {Schema | boolean} [additionalProperties]
 *
 * @typedef {Record<string, { schema: Schema }>} Content
 *
 * @typedef {object} Operation
 * @property {string} summary
 * @property {string} [description]
 * @property {{ name: string, in: string, required?: boolean, description?: string, schema: Schema }[]} [parameters]
 * @property {{ content: Content }} [requestBody]
 * @property {Record<string, { description: string, content: Content }>} responses
 *
 * @typedef {object} OpenApi
 * @property {Record<string, Record<string, Operation>>} paths
 * @property {{ schemas: Record<string, Schema> }} components
 */

const host = 'http://127.0.0.1:9090';

/** What a curl example asks for, beside the path, where defaults would show little. */
const exampleOf = /** @type {Record<string, string>} */ ({
  'get /api/v1/users': '?level=critical&limit=20',
  'get /api/v1/events': '?user=alice',
});

/** @param {OpenApi} document */
export function renderHttp({ paths, components }) {
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );
  return page('HTTP API', [
    ...introduction,
    '',
    '## Problems',
    '',
    'What went wrong is answered as `application/problem+json` ([Problem](#problem)); `detail` says what, `hint` what to try.',
    '',
    table(['status', 'when'], problemsOf(operations.map(({ operation }) => operation))),
    '',
    ...events,
    '',
    '## Routes',
    '',
    table(
      ['route', 'scope', 'what'],
      operations.map(({ path, method, operation }) => [
        `[\`${titleOf(method, path)}\`](#${anchorOf(titleOf(method, path))})`,
        scopeOf(method),
        operation.summary,
      ]),
    ),
    ...operations.flatMap(sectionOf),
    '',
    '## Schemas',
    ...Object.entries(components.schemas).flatMap(([name, schema]) => schemaSection(name, schema)),
  ]);
}

const introduction = [
  '`createAdmin` of `mooring/admin` makes it, as one `fetch` handler for [your own server](../operating/operating.md#deploy).',
  '`mooring serve`, the server of the demo, has it on its admin port, 9090 on loopback unless told otherwise.',
  '`/api/v1/openapi.json` is the OpenAPI 3.1 document this page is made of.',
  '',
  'With tokens configured every request brings one, `Authorization: Bearer <token>`. The scope `read` may `GET`; the rest',
  'wants `act`, which may read too. Wrong ones are told to wait after ten in a minute from one address, so that guessing shows; a',
  'right one is taken all the same, so that nobody can lock out others. What keeps guesses out is that tokens are long and random.',
  '',
  'Without tokens this machine alone is answered, and may do everything. Whoever comes through a proxy may be anywhere and is not,',
  'where the proxy says so (`Via`, `Forwarded`, `X-Forwarded-…`); one that does not cannot be told from this machine: behind a',
  'proxy, give tokens. A server of your own has to pass on whose address it is, as `@hono/node-server` does with its second',
  'argument.',
  '',
  'A page of another origin may not act. Behind a proxy that sets `Host` anew the dashboard is such a page, too: have the proxy',
  'pass `Host` on, or name its origin with `--admin-origin` (`allowedOrigins` of `createAdmin`).',
  '',
  'The examples take the token from `MOORING_TOKEN`; without tokens the header does no harm.',
  '',
  'Ids and keys in paths are percent-encoded. What a URL cannot carry, `.` and `..`, is written with a `=` in front, and so are',
  'ids that begin with `=`. A body is JSON with `Content-Type: application/json`, at most 16 KiB, and may be left out or empty;',
  'unknown fields, queries and bodies are refused.',
  '',
  '| beside the API | scope | |',
  '| --- | --- | --- |',
  '| `GET /metrics` | read | for Prometheus: [metrics](metrics.md) |',
  '| `GET /healthz` | none | 200 while the process answers; `wantsToken` says whether the rest wants one, `loginUrl` where people sign in |',
  '| `GET /readyz` | none | 200, and 503 while the server drains |',
  '| `GET /` | none | the [dashboard](../guides/dashboard.md); what it shows it asks the API for |',
];

const events = [
  '## The event stream',
  '',
  '`GET /api/v1/events` answers with server-sent events and never ends by itself. Each [event](events.md) comes as',
  '',
  '```text',
  'id: 0f9c2a7d41be-17',
  'event: manager.released',
  'data: {"type":"manager.released","atMs":1764312345678,"userId":"alice",…}',
  '```',
  '',
  'Events of 100 ms come together, and after 15 quiet seconds a comment says that the stream is still there. Whoever was cut',
  'off less than a minute ago sends the last id as `Last-Event-ID` and misses nothing: browsers do so by themselves. The',
  'stream says three things about itself, without ids:',
  '',
  table(
    ['event', 'when', 'data'],
    [
      ['`stream.hello`', 'At its beginning.', '`id`: where the stream is, to go on from'],
      [
        '`stream.gap`',
        'What happened since the `Last-Event-ID` is not known any longer. Ask for the state anew.',
        '`since` `hint`',
      ],
      [
        '`stream.dropped`',
        'This viewer read too slowly: of more than 1,000 that waited, the oldest are lost.',
        '`count`',
      ],
    ],
  ),
  '',
  'A viewer that takes nothing for a minute is cut off. At most 100 may watch.',
];

/** Of no route, as it is none that is asked for. */
const wrongMethod = '405 The route is there, and does not take this method; the header `Allow` names those it takes.';

/** Those that all routes share, and what one has of its own. @param {Operation[]} operations */
function problemsOf(operations) {
  const all = operations.flatMap(({ responses }) => Object.entries(responses));
  const problems = all
    .filter(([status]) => status !== '200')
    .map(([status, { description }]) => `${status} ${description}`);
  return [...new Set([...problems, wrongMethod])].sort().map((line) => [line.slice(0, 3), line.slice(4)]);
}

/** @param {{ path: string, method: string, operation: Operation }} route */
function sectionOf({ path, method, operation }) {
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const lines = ['', `### ${titleOf(method, path)}`, '', `${summary}. Scope: ${scopeOf(method)}.`];
  if (description !== undefined) lines.push('', description);
  if (parameters.length > 0) {
    const rows = parameters.map((each) => [
      `\`${each.name}\``,
      each.in,
      typeOf(each.schema),
      [each.description ?? each.schema.description ?? '', boundsOf(each.schema)].filter(Boolean).join(' '),
    ]);
    lines.push('', table(['parameter', 'in', 'type', 'meaning'], rows));
  }
  const body = requestBody?.content['application/json']?.schema;
  if (body !== undefined) lines.push('', table(['field of the body', 'type', 'meaning'], fieldsOf(body)));
  lines.push('', `Answers ${answerOf(responses['200'])}`, '', '```sh', curlOf({ path, method, operation }), '```');
  return lines;
}

/** @param {Operation['responses'][string] | undefined} response */
function answerOf(response) {
  const [kind, content] = Object.entries(response?.content ?? {})[0] ?? [];
  const what = kind === 'application/json' && content !== undefined ? typeOf(content.schema) : `\`${kind ?? ''}\``;
  return `${what}. ${response?.description ?? ''}`;
}

/** @param {{ path: string, method: string, operation: Operation }} route */
function curlOf({ path, method, operation }) {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const parameter = operation.parameters?.find((each) => each.name === name);
    return encodeURIComponent(parameter?.schema.example ?? String(name));
  });
  const stream = path.endsWith('/events') ? ['-N'] : [];
  const verb = method === 'get' ? [] : ['-X', method.toUpperCase()];
  const hasBody = operation.requestBody !== undefined;
  const body = hasBody ? ["-H 'Content-Type: application/json' -d '{\"dryRun\":true}'"] : [];
  const url = `'${host}${filled}${exampleOf[`${method} ${path}`] ?? ''}'`;
  return ['curl', ...stream, ...verb, '-H "Authorization: Bearer $MOORING_TOKEN"', ...body, url].join(' ');
}

/** @param {string} name @param {Schema} schema */
function schemaSection(name, schema) {
  const about = schema.description === undefined ? [] : ['', schema.description];
  if (schema.allOf !== undefined) {
    const [own = {}, ...others] = [...schema.allOf].reverse();
    const heading = ['', `### ${name}`, ...about, '', `As ${others.map(typeOf).join(' and ')}, and`, ''];
    return [...heading, table(['field', 'type', 'meaning'], fieldsOf(own))];
  }
  if (schema.properties === undefined) return ['', `### ${name}`, ...about, '', `${typeOf(schema)}.`];
  return ['', `### ${name}`, ...about, '', table(['field', 'type', 'meaning'], fieldsOf(schema))];
}

/** Fields of fields have a dot between, those of each of many `[]`. @param {Schema} schema @param {string} [prefix] @returns {string[][]} */
function fieldsOf(schema, prefix = '') {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) => {
    const isOptional =
      schema.required?.includes(name) === false || (schema.required === undefined && !('default' in field));
    const path = `${prefix}${name}`;
    const meaning = [field.description ?? '', boundsOf(field)].filter(Boolean).join(' ');
    const row = [`\`${path}\`${isOptional ? ', optional' : ''}`, typeOf(field), meaning];
    const [inner, mark] = field.items === undefined ? [field, ''] : [field.items, '[]'];
    return [row, ...fieldsOf(inner, `${path}${mark}.`)];
  });
}

/** @param {Schema} schema @returns {string} */
function typeOf(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return `[${name}](#${anchorOf(name)})`;
  }
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(' ');
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ');
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`;
  if (typeof schema.additionalProperties === 'object' && schema.properties === undefined)
    return `${typeOf(schema.additionalProperties) || 'anything'} by name`;
  if (schema.format === 'date-time') return 'time';
  return [schema.type ?? []].flat().join(' or ');
}

/** @param {Schema} schema */
function boundsOf({ minimum, maximum, maxLength, default: preset }) {
  const parts = [];
  if (minimum !== undefined && maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER)
    parts.push(`${minimum} to ${maximum.toLocaleString('en')}.`);
  if (maxLength !== undefined) parts.push(`At most ${maxLength.toLocaleString('en')} characters.`);
  if (preset !== undefined) parts.push(`Default: \`${JSON.stringify(preset)}\`.`);
  return parts.join(' ');
}

/** As the guard of the API decides. @param {string} method */
function scopeOf(method) {
  return method === 'get' ? 'read' : 'act';
}

/** @param {string} method @param {string} path */
function titleOf(method, path) {
  return `${method.toUpperCase()} ${path}`;
}

/** As GitHub makes it of a heading. @param {string} heading */
function anchorOf(heading) {
  return heading
    .toLowerCase()
    .replaceAll(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}
