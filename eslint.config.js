import { join } from 'node:path';
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { noImportCircles } from './scripts/no-import-circles.mjs';

const everywhere = '**/*.{ts,tsx,js,mjs}';

// ---------------------------------------------------------------------------------------------------------------
// Who may import whom. A folder may always import itself; anything not listed here is refused, new folders included.
// ---------------------------------------------------------------------------------------------------------------

/** Folders of src/core → the other folders of src/core they may import. All of them may import the flat core files. */
const coreFolders = /** @satisfies {Record<string, string[]>} */ ({
  identity: [],
  managers: ['identity'],
  pressure: ['identity', 'managers'],
  liveness: ['identity', 'managers'],
  cleanup: ['identity', 'managers', 'pressure', 'liveness'],
  admission: ['identity', 'managers', 'pressure', 'liveness', 'cleanup'],
  quota: ['identity', 'managers', 'admission'],
  kpis: ['identity', 'managers', 'pressure', 'liveness'],
  diagnostics: ['managers', 'liveness'],
});

/** Flat core files that put the folders together: no core folder, and no other flat file, may import them. */
const coreComposition = ['mooring', 'compose'];

/** Folders of src at the edge → what else in src they may import. `src/cli` and `src/gateway` may import everything. */
const edgeFolders = /** @satisfies {Record<string, string[]>} */ ({
  runtime: ['core'],
  events: ['core'],
  config: ['core'],
  adapters: ['core', 'client', 'events', 'runtime'],
  cluster: ['core'],
  redis: ['core'],
  telemetry: ['core', 'events'],
  admin: ['core', 'config', 'events', 'presentation', 'runtime'],
  testing: ['core'],
  simulation: ['core', 'config', 'testing', 'client'],
  demo: ['core', 'client'],
  client: [],
  presentation: ['core', 'events'],
});

const composers = ['cli', 'gateway'];

/** @param {string} folder @param {string[]} allowed */
const coreZone = (folder, allowed) => ({
  target: `src/core/${folder}`,
  from: [`src/core/!(${[folder, ...allowed].join('|')})/**`, `src/core/{${coreComposition.join(',')}}.ts`],
  message: `core/${folder} may import ${[...allowed, 'the flat core files'].join(', ')}.`,
});

/** @param {string} folder @param {string[]} allowed */
const edgeZone = (folder, allowed) => ({
  target: `src/${folder}`,
  from: ['src/*.ts', `src/!(${[folder, ...allowed].join('|')})/**`],
  message: `Of src, ${folder} may import ${[folder, ...allowed].join(', ')}; only cli and gateway compose everything.`,
});

const importZones = [
  ...Object.entries(coreFolders).map(([folder, allowed]) => coreZone(folder, allowed)),
  ...Object.entries(edgeFolders).map(([folder, allowed]) => edgeZone(folder, allowed)),
  edgeZone('core', []),
  {
    target: `src/core/!(${coreComposition.join('|')}).ts`,
    from: [`src/core/{${coreComposition.join(',')}}.ts`],
    message: 'The flat core files are the ground floor: they know nothing of what is composed above them.',
  },
  {
    target: 'src/*.ts',
    from: ['src/!(core|config|events|runtime)/**'],
    message: 'The main entry offers core, config, events and runtime; the rest has entries of its own.',
  },
  {
    target: `src/core/!(${Object.keys(coreFolders).join('|')})/**`,
    from: ['src/**'],
    message: 'A new folder of core: say in eslint.config.js what it may import.',
  },
  {
    target: `src/!(${['core', ...composers, ...Object.keys(edgeFolders)].join('|')})/**`,
    from: ['src/**'],
    message: 'A new folder of src: say in eslint.config.js what it may import.',
  },
];

const notItself = { regex: '^mooring(/|$)', message: 'Inside src, import the file itself.' };
const coreImportsZodOnly = {
  regex: String.raw`^(?!\.{1,2}/|zod$)`,
  message: 'src/core is pure: it imports src/core and zod, nothing else.',
};
const typesFromFolders = {
  regex: String.raw`^\./[^/]+/`,
  allowTypeImports: true,
  message: 'The flat core files are the ground floor: from the folders above they may take types only.',
};
const dashboardTakesTypesOfTheApi = [
  {
    regex: String.raw`\bsrc/(?!(admin/schemas|presentation/[\w-]+)\.js$)`,
    message:
      'The dashboard knows the API alone: of src it may take src/presentation, and the types of src/admin/schemas.ts.',
  },
  {
    regex: String.raw`\bsrc/admin/schemas\.js$`,
    allowTypeImports: true,
    message: 'Types only: the schemas themselves would bring zod along.',
  },
  { regex: '^node:', message: 'The dashboard runs in browsers.' },
];
const clientImportsNothing = {
  regex: String.raw`^(?!\./[^/]+$)`,
  message: 'src/client runs in browsers and has no dependencies.',
};

// ---------------------------------------------------------------------------------------------------------------
// What core may not reach for: time, timers, randomness and the outside world come in as arguments.
// ---------------------------------------------------------------------------------------------------------------

const nodeGlobals = ['process', 'Buffer', 'global', 'require', 'module', '__dirname', '__filename'];
const timers = ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate'];
const clocks = ['Date', 'performance', 'Temporal'];
const outside = ['console', 'crypto', 'fetch', 'WebSocket', 'EventSource', 'navigator'];

/** @param {string[]} names @param {string} message @returns {['error', object]} */
const forbidGlobals = (names, message) => [
  'error',
  { globals: names.map((name) => ({ name, message })), checkGlobalObject: true, globalObjects: ['global', 'window'] },
];

const ambientProperties = [
  { object: 'Math', property: 'random', message: 'Randomness comes in as an argument.' },
  { object: 'AbortSignal', property: 'timeout', message: 'Timers come from the Time port.' },
  { object: 'Atomics', property: 'wait', message: 'Core never waits.' },
];

const noExportAll = { selector: 'ExportAllDeclaration', message: 'Name what you export.' };
const noDynamicImport = { selector: 'ImportExpression', message: 'src/core imports statically.' };
const decideInOneBreath = [
  ':function[async=true]',
  'AwaitExpression',
  'ForOfStatement[await=true]',
  'VariableDeclaration[kind="await using"]',
].map((selector) => ({ selector, message: 'Decide in one breath: nothing here may be asynchronous.' }));

export default defineConfig(
  globalIgnores([
    'dist',
    'examples/*/dist',
    '.dist-next',
    '.dist-next-cli',
    'packages',
    'coverage',
    'test/fixtures/redis-v1',
  ]),
  {
    files: [everywhere],
    extends: [js.configs.recommended, tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
    settings: {
      'import-x/extensions': ['.ts', '.tsx', '.js', '.mjs'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
      'import-x/resolver-next': [
        createNodeResolver({
          extensions: ['.ts', '.tsx', '.js', '.mjs'],
          extensionAlias: { '.js': ['.ts', '.tsx', '.js'] },
          conditionNames: ['types', 'import', 'node', 'default'],
        }),
      ],
    },
    rules: {
      'no-undef': 'off', // the compiler knows better, in JavaScript files too
      eqeqeq: 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/max-params': ['error', { max: 3 }],
      '@typescript-eslint/no-empty-object-type': ['error', { allowInterfaces: 'with-single-extends' }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      'no-restricted-syntax': ['error', noExportAll],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-default-export': 'error',
    },
  },
  {
    name: 'src: sizes and directions',
    files: ['src/**'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-syntax': ['error', noExportAll],
      'import-x/no-restricted-paths': ['error', { basePath: import.meta.dirname, zones: importZones }],
      'import-x/no-extraneous-dependencies': ['error', { devDependencies: false }],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [notItself] }],
    },
  },
  {
    name: 'src: only the command may use the libraries of mooring-cli',
    files: ['src/{cli,demo,simulation}/**'],
    rules: {
      'import-x/no-extraneous-dependencies': [
        'error',
        { devDependencies: false, packageDir: [join(import.meta.dirname, 'packages/cli')] },
      ],
    },
  },
  {
    name: 'src: no circles of imports, those of types included',
    files: ['src/**'],
    plugins: { mooring: { rules: { 'no-import-circles': noImportCircles } } },
    rules: { 'mooring/no-import-circles': 'error' },
  },
  {
    name: 'src/core: pure',
    files: ['src/core/**'],
    rules: {
      'no-restricted-globals': forbidGlobals(
        [...nodeGlobals, ...timers, ...clocks, ...outside],
        'src/core is pure: time, randomness and the outside world come in as arguments.',
      ),
      'no-restricted-properties': ['error', ...ambientProperties],
      'no-restricted-syntax': ['error', noExportAll, noDynamicImport],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [coreImportsZodOnly] }],
    },
  },
  {
    name: 'src/core, flat files: the ground floor',
    files: ['src/core/*.ts'],
    ignores: coreComposition.map((name) => `src/core/${name}.ts`),
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [coreImportsZodOnly, typesFromFolders] }],
    },
  },
  {
    name: 'src/core: decide in one breath',
    files: ['src/core/managers/**', 'src/core/pressure/**', 'src/core/cleanup/strategies/**'],
    rules: { 'no-restricted-syntax': ['error', noExportAll, noDynamicImport, ...decideInOneBreath] },
  },
  {
    name: 'src/client: alone, in browsers too',
    files: ['src/client/**'],
    rules: {
      'no-restricted-globals': forbidGlobals([...nodeGlobals, 'setImmediate', 'clearImmediate'], 'Browsers lack it.'),
      'no-restricted-syntax': ['error', noExportAll, { ...noDynamicImport, message: clientImportsNothing.message }],
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: [clientImportsNothing] }],
    },
  },
  {
    name: 'dashboard: in browsers, of the API its types',
    files: ['dashboard/**'],
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
      'no-restricted-globals': forbidGlobals([...nodeGlobals, 'setImmediate', 'clearImmediate'], 'Browsers lack it.'),
      '@typescript-eslint/no-restricted-imports': ['error', { patterns: dashboardTakesTypesOfTheApi }],
    },
  },
  {
    name: 'tests: a little more freedom',
    files: ['test/**', 'bench/**'],
    rules: {
      '@typescript-eslint/max-params': 'off', // a table's columns
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/no-deprecated': 'off', // that old names go on working is tested by their use
    },
  },
  {
    name: 'test/ecosystem: what it imports is not installed here, so that its types are not known',
    files: ['test/ecosystem/{stacks,clients}/**'],
    extends: [tseslint.configs.disableTypeChecked],
  },
  {
    name: 'examples: what ws receives is a Buffer, as nobody sets binaryType',
    files: ['examples/**'],
    rules: { '@typescript-eslint/no-base-to-string': 'off' },
  },
  {
    name: 'examples: what is usual with Nest, which knows modules by classes without members',
    files: ['examples/nest/**'],
    // Its own tsconfig.json is for whoever takes the folder out of the clone: it finds mooring only once that is built.
    languageOptions: { parserOptions: { projectService: false, project: 'examples/tsconfig.json' } },
    rules: {
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
    },
  },
  {
    name: 'JavaScript: the linter does not see casts in comments; the compiler does',
    files: ['**/*.{js,mjs}'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    name: 'configuration files export a default',
    files: ['*.config.{js,ts}', 'examples/*/*.config.js'],
    rules: { 'import-x/no-default-export': 'off' },
  },
);
