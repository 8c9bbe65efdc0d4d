import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/** What a module that is given as text may import. */
const files = new Map([
  ['mooring/client', join(import.meta.dirname, '../../src/client/index.ts')],
  ['react', fileURLToPath(import.meta.resolve('react'))],
  ['react-dom/client', fileURLToPath(import.meta.resolve('react-dom/client'))],
]);

/**
 * A script for a page, as one file with all that it imports: `mooring/client` as it is in this repository, packages in
 * their versions for development, and modules given as text.
 * @param modules TypeScript by the name that it is imported by; `page` is where the script begins
 */
export async function pageScript(modules: { readonly page: string; readonly [name: string]: string }): Promise<string> {
  const bundle = await rolldown({
    input: 'page',
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"development"' } },
    plugins: [
      {
        name: 'modules given as text',
        resolveId: (id) => files.get(id) ?? (Object.hasOwn(modules, id) ? `\0${id}` : null),
        load: (id) => {
          const text = id.startsWith('\0') ? modules[id.slice(1)] : undefined;
          return text === undefined ? null : { code: text, moduleType: 'ts' };
        },
      },
    ],
  });
  const { output } = await bundle.generate({ format: 'iife' });
  await bundle.close();
  return output[0].code;
}
