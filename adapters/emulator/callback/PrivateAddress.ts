/**
 * Addresses that are not of the public internet: loopback, private and link-local networks, and all else that is reserved.
 * Pure.
 *
 * OSS refuses to call them back. Of IPv6, only global unicast counts as public, without the parts of it that stand for
 * other addresses or for documentation.
 * Sources: the IANA registries of special-purpose addresses, https://www.iana.org/assignments/iana-ipv4-special-registry
 * and https://www.iana.org/assignments/iana-ipv6-special-registry
 */
import { BlockList, isIPv4, isIPv6 } from "node:net"

const reserved4 = new BlockList()
for (const [network, bits] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3]
] as const) {
  reserved4.addSubnet(network, bits, "ipv4")
}

const global6 = new BlockList()
global6.addSubnet("2000::", 3, "ipv6")
const reserved6 = new BlockList()
for (const [network, bits] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20]
] as const) {
  reserved6.addSubnet(network, bits, "ipv6")
}

/** Whether the address is none of the public internet. A text that is no address is taken to be private. */
export const includes = (address: string): boolean => {
  if (isIPv4(address)) return reserved4.check(address, "ipv4")
  if (!isIPv6(address)) return true
  return !global6.check(address, "ipv6") || reserved6.check(address, "ipv6")
}
