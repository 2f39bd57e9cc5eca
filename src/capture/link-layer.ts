/**
 * From a captured frame to its IP packet. Link types: https://www.tcpdump.org/linktypes.html
 *
 *     Ethernet   6 destination, 6 source, 2 type; 802.1Q/802.1ad tags of 4 bytes before the type
 *     SLL        2 packet type, 2 ARPHRD, 2 address length, 8 address, 2 type
 *     SLL2       2 type, 2 reserved, 4 interface, 2 ARPHRD, 1 packet type, 1 address length, 8 address
 *     null/loop  4 address family in host (null) or network (loop) byte order
 */

const LINK = { null: 0, ethernet: 1, ppp: 9, rawBsd: 12, rawOld: 14, raw: 101, loop: 108, sll: 113 } as const;
const LINK_IPV4 = 228;
const LINK_IPV6 = 229;
const LINK_SLL2 = 276;

const ETHERTYPE = {
  ipv4: 0x0800,
  ipv6: 0x86dd,
  vlan: 0x8100,
  qinq: 0x88a8,
  vlanOld: 0x9100,
  pppoe: 0x8864,
} as const;

/** Where the IP packet begins in `data`, -1 when there is none. */
export function networkOffset(linkType: number, data: Buffer): number {
  switch (linkType) {
    case LINK.ethernet:
      return data.length < 14 ? -1 : etherType(data, 12);
    case LINK.sll:
      return data.length < 16 ? -1 : etherType(data, 14);
    case LINK_SLL2:
      return data.length < 20 ? -1 : isIp(data.readUInt16BE(0)) ? 20 : tagged(data, data.readUInt16BE(0), 20);
    case LINK.null:
    case LINK.loop:
      return data.length > 4 ? ipAt(data, 4) : -1;
    case LINK.ppp:
      // With or without address and control bytes.
      return data[0] === 0xff ? ipAt(data, 4) : ipAt(data, 2);
    case LINK.raw:
    case LINK.rawBsd:
    case LINK.rawOld:
    case LINK_IPV4:
    case LINK_IPV6:
      return ipAt(data, 0);
    default:
      return -1;
  }
}

/** True for link types that `networkOffset` knows. */
export const knowsLinkType = (linkType: number): boolean =>
  [...Object.values(LINK), LINK_IPV4, LINK_IPV6, LINK_SLL2].some((known) => known === linkType);

function etherType(data: Buffer, at: number): number {
  const type = data.readUInt16BE(at);
  return isIp(type) ? at + 2 : tagged(data, type, at + 2);
}

/** `type` stands before `at`: goes through VLAN tags and PPPoE sessions. */
function tagged(data: Buffer, first: number, start: number): number {
  let type = first;
  let at = start;
  while (type === ETHERTYPE.vlan || type === ETHERTYPE.qinq || type === ETHERTYPE.vlanOld) {
    if (at + 4 > data.length) return -1;
    type = data.readUInt16BE(at + 2);
    at += 4;
  }
  if (type === ETHERTYPE.pppoe) return ipAt(data, at + 8);
  return isIp(type) ? at : -1;
}

const isIp = (type: number): boolean => type === ETHERTYPE.ipv4 || type === ETHERTYPE.ipv6;

/** The family's number differs between systems (IPv6 is 24, 28 or 30), so the packet's own version decides. */
function ipAt(data: Buffer, at: number): number {
  const version = (data[at] ?? 0) >> 4;
  return version === 4 || version === 6 ? at : -1;
}
