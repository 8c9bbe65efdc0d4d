import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

/**
 * The scripts that Redis runs. Each file in `lua` begins with its contract: its keys, arguments and reply.
 * `fixedKeys`: how many keys it has; `assert` has at least one more, for each claim one.
 */
export const scripts = Object.freeze({
  register: { fixedKeys: 3 },
  beat: { fixedKeys: 3 },
  leave: { fixedKeys: 3 },
  acquire: { fixedKeys: 4 },
  commit: { fixedKeys: 4 },
  release: { fixedKeys: 4 },
  exchange: { fixedKeys: 4 },
  assert: { fixedKeys: 3 },
  verify: { fixedKeys: 4 },
}) satisfies Readonly<Record<string, { readonly fixedKeys: number }>>;

export type ScriptName = keyof typeof scripts;

export const scriptNames: readonly ScriptName[] = Object.freeze(Object.keys(scripts) as ScriptName[]);

/** A script as it is loaded into Redis. */
export interface ScriptSource {
  readonly text: string;
  /** What Redis calls it: the SHA-1 of its text, in hexadecimal. */
  readonly sha1: string;
}

/** Reads the scripts: each is `prelude.lua` and its body, with `slots.lua` in the line that names it. @throws Error if a file is missing */
export function readScripts(): Readonly<Record<ScriptName, ScriptSource>> {
  const [prelude, slots] = [readLua('prelude'), readLua('slots')];
  const sources = scriptNames.map((name) => {
    const body = readLua(name).replace(/^-- \(slots\.lua\)$/m, () => slots);
    return [name, sourceOf(`${prelude}\n${body}`)] as const;
  });
  return Object.freeze(Object.fromEntries(sources) as Record<ScriptName, ScriptSource>);
}

/** @param text the whole script, prelude included */
function sourceOf(text: string): ScriptSource {
  return Object.freeze({ text, sha1: createHash('sha1').update(text).digest('hex') });
}

function readLua(name: string): string {
  return readFileSync(new URL(`./lua/${name}.lua`, import.meta.url), 'utf8');
}
