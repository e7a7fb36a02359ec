/**
 * Costs of the room's hot paths. With CONTIV_VPP_SOCKET set to the API socket of a running VPP, the
 * client is measured against that, too.
 *
 * Run: `deno bench --allow-all mod/vppapi/`
 *
 * @module
 */

import { ByteWriter } from "./byte_writer.ts";
import { VppClient } from "./client.ts";
import { Codec } from "./codec.ts";
import { FrameReader, writeFrame } from "./frame.ts";
import type { Input, MessageName } from "./messages.ts";
import { Schema } from "./schema.ts";
import { SocketTransport } from "./socket_transport.ts";
import { FakeVpp } from "./testing.ts";

const codec = new Codec(Schema.builtin());
const header = { id: 100, clientIndex: 1, context: 2 };
const address = new Uint8Array([10, 1, 2, 3]);

function route(paths: number): Input<"ip_route_add_del_v2"> {
  const path = { sw_if_index: 7, weight: 1, nh: { address } };
  const prefix = { address: { un: address }, len: 32 };
  return { route: { prefix, paths: Array(paths).fill(path) } };
}

function acl(rules: number): Input<"acl_add_replace"> {
  const prefix = { address: { un: address }, len: 32 };
  const rule = { is_permit: 1, src_prefix: prefix, dst_prefix: prefix, proto: 6 };
  return { acl_index: 0xffffffff, tag: "policy", r: Array(rules).fill(rule) };
}

function measure<N extends MessageName>(label: string, name: N, fields: Input<N>): void {
  const writer = new ByteWriter();
  const baseline = name === "control_ping";
  Deno.bench(label, { group: "encode", baseline }, () => {
    writer.clear();
    codec.encode(name, header, fields, writer);
  });
  const encoded = new ByteWriter();
  codec.encode(name, header, fields, encoded);
  const bytes = encoded.view().slice();
  Deno.bench(label, { group: "decode", baseline }, () => {
    codec.decode(name, bytes);
  });
}

measure("control_ping", "control_ping", {});
measure("sw_interface_set_flags", "sw_interface_set_flags", { sw_if_index: 3, flags: 1 });
measure("sw_interface_details", "sw_interface_details", { interface_name: "tap12", tag: "pod/a" });
measure("tap_create_v3", "tap_create_v3", {
  host_if_name_set: true,
  host_if_name: "eth0",
  host_namespace: "/var/run/netns/pod",
  tag: "default/nginx",
});
measure("ip_route_add_del_v2, 1 path", "ip_route_add_del_v2", route(1));
for (const rules of [1, 10, 100, 1000]) {
  measure(`acl_add_replace, ${rules} rules`, "acl_add_replace", acl(rules));
}

for (const size of [64, 4096, 65_536]) {
  const stream = new ByteWriter();
  for (let index = 0; index < 256; index++) writeFrame(stream, new Uint8Array(30));
  const bytes = stream.view();
  const reader = new FrameReader();
  Deno.bench(`256 frames of 30 bytes, chunks of ${size}`, { group: "split" }, () => {
    for (let at = 0; at < bytes.length; at += size) {
      reader.push(bytes.subarray(at, at + size), () => {});
    }
  });
}

/** Measures a client that stays connected until the process ends. */
function measureClient(peer: string, vpp: VppClient): void {
  for (const count of [1, 10, 100, 1000, 10_000]) {
    Deno.bench(`${count} pings, ${peer}`, { group: `pipelined ${count}` }, async () => {
      const pings: Promise<unknown>[] = [];
      for (let index = 0; index < count; index++) pings.push(vpp.request("control_ping"));
      await Promise.all(pings);
    });
  }
}

measureClient("in memory", await new FakeVpp().client());

const directory = await Deno.makeTempDir();
const path = `${directory}/api.sock`;
const listener = Deno.listen({ transport: "unix", path });
const connecting = VppClient.connect({ path, name: "bench" });
new FakeVpp().serve(new SocketTransport(await listener.accept()));
measureClient("fake on a socket in this process", await connecting);
listener.close();
await Deno.remove(directory, { recursive: true });

const real = Deno.env.get("CONTIV_VPP_SOCKET");
if (real !== undefined) {
  measureClient("real VPP", await VppClient.connect({ path: real, name: "bench" }));
}
