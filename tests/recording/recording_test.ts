/** A session recorded with VPP 26.06, replayed against our codecs and our switch. */
import { assert, assertEquals } from "@contiv/assert";
import { ByteWriter, Codec, type MessageName, Schema } from "@contiv/vppapi";
import { Target } from "../conformance/target.ts";
import { systemTest } from "../support/requires.ts";
import { comparable, record, type Recording } from "./recording.ts";

const recording = JSON.parse(
  Deno.readTextFileSync(new URL("./vpp-26.06.json", import.meta.url)),
) as Recording;

Deno.test("every recorded message is read and written back to the same octets", () => {
  const codec = new Codec(Schema.builtin());
  assert(recording.messages.length > 60, `${recording.messages.length} messages`);
  for (const { from, name, hex } of recording.messages) {
    const bytes = Uint8Array.fromHex(hex);
    const writer = new ByteWriter();
    const decoded = codec.decode(name as MessageName, bytes);
    codec.encode(name as MessageName, codec.header(name, bytes), decoded, writer);
    const again = writer.bytes.subarray(0, writer.length).toHex();
    assertEquals(again, hex, `${name} from ${from}`);
  }
});

systemTest("the embedded switch answers the session as VPP 26.06 did", async () => {
  await using target = await Target.start({ kind: "embedded" });
  const ours = comparable(await record(target.apiSocket));
  const theirs = comparable(recording);
  for (const [i, message] of theirs.entries()) assertEquals(ours[i], message, `message ${i}`);
  assertEquals(ours.length, theirs.length);
});
