/**
 * Which addresses OSS would call back, and which not.
 */
import { expect, it } from "@effect/vitest"
import * as PrivateAddress from "../../../../adapters/emulator/callback/PrivateAddress.ts"

it.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.100.100.200",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.169.254",
  "172.16.0.1",
  "172.31.255.255",
  "192.0.0.1",
  "192.168.1.1",
  "198.19.0.1",
  "203.0.113.5",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:127.0.0.1",
  "::ffff:8.8.8.8",
  "::127.0.0.1",
  "64:ff9b::7f00:1",
  "fc00::1",
  "fd12::1",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "2001:db8::1",
  "2001::1",
  "2002:7f00:1::1",
  "no address",
  ""
])("%s is not of the public internet", (address) => {
  expect(PrivateAddress.includes(address)).toBe(true)
})

it.each([
  "1.1.1.1",
  "8.8.8.8",
  "100.63.255.255",
  "100.128.0.0",
  "172.15.255.255",
  "172.32.0.0",
  "223.255.255.255",
  "2001:4860:4860::8888",
  "2400:3200::1",
  "2606:4700::1111"
])("%s is", (address) => {
  expect(PrivateAddress.includes(address)).toBe(false)
})
