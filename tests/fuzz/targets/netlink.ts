import { NetlinkError } from "@contiv/libc";
import { decodeAddress } from "../../../ffi/libc/netlink/address.ts";
import { decodeOutcome } from "../../../ffi/libc/netlink/ext_ack.ts";
import { decodeLink } from "../../../ffi/libc/netlink/link.ts";
import { decodeMessages } from "../../../ffi/libc/netlink/message.ts";
import { decodeNeighbour } from "../../../ffi/libc/netlink/neighbour.ts";
import { decodeRoute } from "../../../ffi/libc/netlink/route.ts";
import { decodeRule } from "../../../ffi/libc/netlink/rule.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";

/** Recorded from a Linux kernel: one line per message, its kind and its payload. */
const ANSWERS = new URL("../../../ffi/libc/netlink/testdata/answers.txt", import.meta.url);

const decoders: readonly ((payload: Uint8Array) => unknown)[] = [
  decodeMessages,
  decodeLink,
  decodeAddress,
  decodeRoute,
  decodeNeighbour,
  decodeRule,
  (payload) => decodeOutcome({ type: 2, flags: 0x300, sequence: 1, payload }),
];

/** What the kernel answers, read as every kind of message. */
export const netlink: FuzzTarget = {
  name: "netlink",
  corpus: () =>
    Deno.readTextFileSync(ANSWERS).split("\n")
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line) => Uint8Array.fromHex(line.split(" ")[1] ?? "")),
  start: () => ({
    take: (input) => {
      let read = false;
      for (const decode of decoders) {
        read = readOrRefused(() => void decode(input), NetlinkError) || read;
      }
      return read;
    },
  }),
};
