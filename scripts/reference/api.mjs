/** The reference of the API, made from the types: one page for each name that can be imported. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Application, Comment, ReflectionKind } from 'typedoc';
import { page, table } from './markdown.mjs';

const root = join(import.meta.dirname, '../..');

/**
 * What each import is for, and what may change in it before version 1.0. By the names in `exports` of package.json.
 * @type {Readonly<Record<string, { about: string, stability: 'stable' | 'experimental' }>>}
 */
export const subpaths = Object.freeze({
  '.': { about: 'The manager of all connections, its settings, events and errors.', stability: 'stable' },
  './ws': { about: 'Attaches it to a server of `ws`.', stability: 'stable' },
  './socket.io': { about: 'Attaches it to a server of Socket.IO.', stability: 'stable' },
  './fastify': { about: 'A plugin of Fastify.', stability: 'stable' },
  './nestjs': { about: 'A module of Nest, for `WsAdapter` and `IoAdapter`.', stability: 'stable' },
  './hono': { about: 'A middleware of Hono.', stability: 'stable' },
  './client': { about: 'For pages and other clients: reconnect, and say why.', stability: 'stable' },
  './admin': { about: 'The admin API and the dashboard.', stability: 'stable' },
  './log': { about: 'Events as log lines.', stability: 'stable' },
  './prometheus': { about: 'Metrics for Prometheus.', stability: 'stable' },
  './opentelemetry': { about: 'Metrics for OpenTelemetry.', stability: 'stable' },
  './redis': { about: 'One quota for all processes that share a Redis.', stability: 'experimental' },
  './doorway': { about: 'The steps before admission, for adapters of your own.', stability: 'experimental' },
  './testing': {
    about: 'Simulated time, a fake connection, and the contracts of adapters.',
    stability: 'experimental',
  },
});

const stabilityWords = Object.freeze({
  stable: 'Changes that break code come with a minor version, and are in the migration page.',
  experimental: 'May change with any version.',
});

/** Lists and tables that types are made of: each such type shows its values itself. */
const onlyTypes = [
  'ledgerStates',
  'adminActions',
  'cleanupTriggers',
  'closeCauses',
  'causes',
  'findings',
  'releasers',
  'strategies',
  'settings',
  'connectionsNames',
  'factoryNames',
  'Aliases',
  'EventRows',
  'Fields',
  'Successor',
  'ManagedConnection',
];

/** How the pages look. */
const markdownOptions = Object.freeze({
  outputFileStrategy: 'modules',
  hideBreadcrumbs: true,
  hideGenerator: true,
  hidePageHeader: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  classPropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  propertyMembersFormat: 'table',
  typeAliasPropertiesFormat: 'table',
  useCodeBlocks: true,
  entryFileName: 'README',
});

/** @typedef {Readonly<Record<string, { reason: string, about: string }>>} Strategies */

/**
 * @param {Strategies} strategies
 * @returns {Promise<Record<string, string>>} the pages by file name
 * @throws Error if a type cannot be imported
 */
export async function apiPages(strategies) {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-api-'));
  try {
    await write(folder, strategies);
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md'));
    const pages = Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
    return { ...pages, 'README.md': overview() };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {string} folder @param {Strategies} strategies */
async function write(folder, strategies) {
  const app = await Application.bootstrapWithPlugins({
    entryPoints: Object.keys(subpaths).map((subpath) => join(root, sourceOf(subpath))),
    tsconfig: join(root, 'tsconfig.build.json'),
    plugin: ['typedoc-plugin-markdown'],
    logLevel: 'Warn',
    intentionallyNotExported: [...onlyTypes],
    readme: 'none',
    excludeInternal: true,
    excludePrivate: true,
    excludeExternals: true,
    disableSources: true,
    out: folder,
    ...markdownOptions,
  });
  const project = await app.convert();
  if (project === undefined) throw new Error('the API reference: the types cannot be read (above).');
  for (const module of project.children ?? []) module.name = nameOf(subpathOf(module.name));
  describeReasons(project, strategies);
  app.validate(project);
  await app.generateOutputs(project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('the API reference has problems (above).');
}

/**
 * Release reasons that come from the table of strategies have no doc comment of their own.
 * @param {import('typedoc').ProjectReflection} project @param {Strategies} strategies
 */
function describeReasons(project, strategies) {
  const isReasons = (/** @type {import('typedoc').Reflection | undefined} */ parent) =>
    parent?.parent?.name === 'releaseReasons';
  const reasons = project.getReflectionsByKind(ReflectionKind.Property).filter(({ parent }) => isReasons(parent));
  for (const { reason, about } of Object.values(strategies)) {
    const property = reasons.find(({ name }) => name === reason);
    if (property === undefined) throw new Error(`the API reference: releaseReasons has no ${reason}`);
    property.comment = new Comment([{ kind: 'text', text: about }]);
  }
}

/** `mooring/ws` for `./ws`. @param {string} subpath */
function nameOf(subpath) {
  return subpath.replace(/^\./, 'mooring');
}

/** The subpath whose source TypeDoc calls this: `adapters/ws`, or for an index file its folder. @param {string} module */
function subpathOf(module) {
  const sources = ['', '/index'].map((end) => `src/${module}${end}.ts`);
  const found = Object.keys(subpaths).find((subpath) => sources.includes(sourceOf(subpath)));
  if (found === undefined) throw new Error(`the API reference: nothing exports ${module}`);
  return found;
}

/** The source of what the package exports. @param {string} subpath */
function sourceOf(subpath) {
  const { exports } = /** @type {{ exports: Record<string, { types: string }> }} */ (
    JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  );
  return (exports[subpath]?.types ?? '').replace(/^\.\/dist\/lib\/types\/(.*)\.d\.ts$/, 'src/$1.ts');
}

function overview() {
  const rows = Object.entries(subpaths).map(([subpath, { about, stability }]) => {
    const name = nameOf(subpath);
    return [`[\`${name}\`](${name}.md)`, about, stability];
  });
  return page('API', [
    table(['import', 'what it is for', 'stability'], rows),
    '',
    'Of `mooring`, the quota ledger (`ledger`, `QuotaLedger`, `MemoryLedger`) is experimental.',
    '',
    ...Object.entries(stabilityWords).map(([stability, words]) => `- *${stability}*: ${words}`),
  ]);
}
