/**
 * The operations of a Mooring under the names of the sketch that it grew from. New code calls the Mooring itself; the
 * guide docs/guides/from-the-seed.md has both names side by side.
 */

/** The names of `mooring.factory`, and what each is called on the Mooring. */
export const factoryNames = Object.freeze({
  isDraining: 'isDraining',
  managerCount: 'managerCount',
  userCount: 'userCount',
  waitingCount: 'waitingCount',
  admit: 'decide',
  createManager: 'createManager',
  getManager: 'getManager',
  getUserManagerCount: 'managerCountOf',
  getUserManagers: 'managersOf',
  getActiveUsers: 'users',
  managersByUser: 'managersByUser',
  limitOf: 'limitOf',
  getWaitingCount: 'waitingCountOf',
  cleanupManager: 'release',
  cleanupManagerByContext: 'release',
  cleanupAllUserManagers: 'releaseAll',
  emergencyCleanup: 'emergencyCleanup',
  cleanup: 'cleanup',
  previewEmergencyCleanup: 'previewEmergencyCleanup',
});

/** The names of `mooring.connections`, and what each is called on the Mooring. */
export const connectionsNames = Object.freeze({
  closingCount: 'closingCount',
  connect: 'connect',
  disconnect: 'disconnect',
});

/** Other names for operations of an object. */
export type Aliases<Target, Names extends Readonly<Record<string, keyof Target>>> = {
  readonly [Old in keyof Names]: Target[Names[Old]];
};

/** Called when an old name is used. @param now the present name */
export type TellRenamed = (old: string, now: string) => void;

/**
 * An object with the old names of operations. The first use of a name calls `tellRenamed`.
 * @param path the path of the object, e.g. `mooring.factory`
 */
export function aliasesOf<Target extends object, Names extends Readonly<Record<string, keyof Target & string>>>(
  target: Target,
  names: Names,
  { path, tellRenamed }: { readonly path: string; readonly tellRenamed: TellRenamed },
): Aliases<Target, Names> {
  const aliases = {} as Aliases<Target, Names>;
  for (const [old, now] of Object.entries(names)) {
    const get = (): unknown => {
      tellRenamed(`${path}.${old}`, `mooring.${now}`);
      const { [now]: value } = target;
      const property =
        typeof value === 'function' ? { value: value.bind(target) as unknown } : { get: () => target[now] };
      Object.defineProperty(aliases, old, property);
      return aliases[old];
    };
    Object.defineProperty(aliases, old, { get, enumerable: true, configurable: true });
  }
  return aliases;
}
