import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const repository = join(import.meta.dirname, '../..');

/** The two packages, and the folders they are packed from. */
const packageFolders = { mooring: repository, 'mooring-cli': join(repository, 'packages/cli') };

export type PackageName = keyof typeof packageFolders;

/** How a program went. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A file of a package, relative to its root. */
interface PackedFile {
  readonly path: string;
}

/** Packs a package as it is built now. @returns the tarball */
export async function pack(name: PackageName, folder: string): Promise<string> {
  const [packed] = await npmPack(name, ['--pack-destination', folder]);
  return join(folder, packed?.filename ?? '');
}

/** What a package would ship. */
export async function packedFiles(name: PackageName): Promise<string[]> {
  const [packed] = await npmPack(name, ['--dry-run']);
  return (packed?.files ?? []).map(({ path }) => path);
}

async function npmPack(name: PackageName, options: readonly string[]) {
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', ...options], {
    cwd: packageFolders[name],
  });
  return JSON.parse(stdout) as { filename: string; files: readonly PackedFile[] }[];
}

/** package.json of a package, or of a project. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly type?: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

export function manifestOf(name: PackageName): Manifest {
  return JSON.parse(readFileSync(join(packageFolders[name], 'package.json'), 'utf8')) as Manifest;
}

/**
 * The packages that a page tells to install in a project. `mooring` is what is packed: lines with its tarball say the same
 * again. Lines with `--global` are not about projects.
 */
export function installsOf(page: string): string[] {
  const text = readFileSync(join(repository, page), 'utf8');
  return [...text.matchAll(/^npm install (?!.*--global)(.+?)(?: +#.*)?$/gm)].flatMap(([, names = '']) =>
    names.split(/\s+/),
  );
}

/** The packages that the README wants installed for a name of the library, such as `mooring/admin`, beside the usual ones. */
export function installsByName(): Map<string, string[]> {
  const rows = readFileSync(join(repository, 'README.md'), 'utf8').matchAll(/^\| `(mooring\/[\w.-]+)` \| (.+) \|$/gm);
  return new Map([...rows].map(([, name = '', cell = '']) => [name, cell.replaceAll('`', '').split(' ')]));
}

/** A project in a folder of its own, with nothing in it but what was installed. */
export class FreshProject {
  readonly folder = mkdtempSync(join(tmpdir(), 'mooring-project-'));

  /** @param type of its package.json */
  constructor(type: 'module' | 'commonjs' = 'module') {
    this.write('package.json', `${JSON.stringify({ name: 'fresh', version: '1.0.0', type })}\n`);
  }

  /** Installs packages from the registry; `mooring` is the one of this repository. */
  async install(...names: readonly string[]): Promise<void> {
    const specs = await Promise.all(names.map(async (name) => (name === 'mooring' ? pack(name, this.folder) : name)));
    await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...specs], {
      cwd: this.folder,
      timeout: 180_000,
    });
  }

  write(name: string, text: string): void {
    const file = join(this.folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  /** Runs a file of the project, in Node. */
  node(...args: readonly string[]): Promise<Outcome> {
    return outcomeOf(process.execPath, args, this.folder);
  }

  /** Compiles files, with nothing but these options: TypeScript of this repository, types of the project. */
  compile(files: readonly string[], options: Readonly<Record<string, unknown>>): Promise<Outcome> {
    this.write('tsconfig.json', JSON.stringify({ compilerOptions: options, files }));
    return this.node(join(repository, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json');
  }

  /** Where packages are installed, relative to node_modules; one in two versions has two places. */
  installed(): string[] {
    const lock = readFileSync(join(this.folder, 'node_modules/.package-lock.json'), 'utf8');
    const { packages } = JSON.parse(lock) as { packages: Record<string, unknown> };
    return Object.keys(packages).map((place) => place.replace(/^node_modules\//, ''));
  }

  /** Whether an installed package has anything to run, and not types alone. */
  hasCode(place: string): boolean {
    const folder = join(this.folder, 'node_modules', place);
    return readdirSync(folder, { recursive: true, encoding: 'utf8' }).some((name) => /\.[cm]?js$/.test(name));
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs a program to its end, whatever its exit code. */
export async function outcomeOf(command: string, args: readonly string[], cwd: string): Promise<Outcome> {
  try {
    return { code: 0, ...(await run(command, args, { cwd, timeout: 150_000 })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Outcome;
    return { code, stdout, stderr };
  }
}
