import { isIPv4, isIPv6 } from 'node:net';

/** The key of sockets without an address: of a Unix domain socket, or closed already. */
export const noAddress = 'unknown';

/**
 * The key by which connections of one client are counted together. An IPv4 address has the same key in every notation
 * (also within an IPv6 address). The key of an IPv6 address is its /64, since a client that has one address of a /64 has
 * all of them. Text that is no IP address is returned as it is. Never throws.
 *
 * @param address as `socket.remoteAddress` or a proxy's header gives it, with or without a zone (`%eth0`), and a port
 * (`192.0.2.7:49152`, `[2001:db8::7]:49152`), which is different for each connection
 * @returns e.g. `192.0.2.7`, `2001:db8:0:1::/64`, or {@link noAddress} if there is no address
 */
export function addressKey(address: string | undefined): string {
  const text = withoutPort(address?.trim() ?? '');
  if (text === '') return noAddress;
  if (isIPv4(text) || !isIPv6(text)) return text;
  const groups = groupsOf(text.replace(/%.*$/, ''));
  const prefix = groups.slice(0, 6).join(':');
  if (ipv4Prefixes.has(prefix)) return ipv4Of(groups);
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** Removes the port that RFC 7239 and some proxies add to an address. Other text is returned as it is. */
function withoutPort(text: string): string {
  const [, ipv6 = '', ipv4 = ''] = withPort.exec(text) ?? [];
  return isIPv6(ipv6) ? ipv6 : isIPv4(ipv4) ? ipv4 : text;
}

const withPort = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/;

/** Prefixes of IPv6 addresses whose last 32 bits are an IPv4 address: mapped addresses, and NAT64 (RFC 6052). */
const ipv4Prefixes: ReadonlySet<string> = new Set([
  [0, 0, 0, 0, 0, 0xffff].join(':'),
  [0x64, 0xff9b, 0, 0, 0, 0].join(':'),
]);

function ipv4Of(groups: readonly number[]): string {
  const [high = 0, low = 0] = groups.slice(6);
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

/** The eight groups of a valid IPv6 address. */
function groupsOf(address: string): number[] {
  const [before = [], after = []] = address.split('::', 2).map(groupsOfPart);
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  return [...before, ...zeros, ...after];
}

/** The groups on one side of `::`; an IPv4 address at the end gives two. */
function groupsOfPart(part: string): number[] {
  if (part === '') return [];
  return part.split(':').flatMap((group) => (group.includes('.') ? pairOf(group) : [Number.parseInt(group, 16)]));
}

function pairOf(ipv4: string): number[] {
  const [a = 0, b = 0, c = 0, d = 0] = ipv4.split('.').map(Number);
  return [a * 256 + b, c * 256 + d];
}
