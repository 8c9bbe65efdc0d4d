/** Whether an entry of a stream comes after another. Ids are two unsigned numbers of 64 bits; these are far below. */
export function isLaterId(id: string, than: string): boolean {
  const [ms, sequence] = streamIdParts(id);
  const [thanMs, thanSequence] = streamIdParts(than);
  return ms === thanMs ? sequence > thanSequence : ms > thanMs;
}

/** The parts of an id of a stream: milliseconds, and a number that tells entries of one millisecond apart. */
export function streamIdParts(id: string): [ms: number, sequence: number] {
  const [ms, sequence] = id.split('-');
  return [Number(ms), Number(sequence ?? 0)];
}
