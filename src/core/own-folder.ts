/**
 * The folder of Mooring's own code. This file is in a folder of it; so is the bundle that it becomes part of.
 * @internal
 */
export const ownFolder = new URL('../', import.meta.url).pathname;
