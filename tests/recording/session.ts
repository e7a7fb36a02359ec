import { FibPathNhProto, type VppClient } from "@contiv/vppapi";
import { IpAddress, IpPrefix, MacAddress } from "@contiv/net";

/** ~0: no interface, or all of them. */
const NONE = 0xffffffff;

interface ApiAddress {
  readonly af: number;
  readonly un: Uint8Array;
}

function address(text: string): ApiAddress {
  const { family, bytes } = IpAddress.parse(text);
  const un = new Uint8Array(16);
  un.set(bytes);
  return { af: family === 4 ? 0 : 1, un };
}

function prefix(text: string): { address: ApiAddress; len: number } {
  const { address: parsed, length } = IpPrefix.parse(text);
  return { address: address(parsed.toString()), len: length };
}

const mac = (text: string): Uint8Array => MacAddress.parse(text).bytes;

/**
 * What an agent and an operator ask of a fresh data plane, the refusals included; the same requests
 * in the same order each time. Needs no interface of the host.
 */
export async function session(vpp: VppClient): Promise<void> {
  await vpp.request("show_version");
  await vpp.request("control_ping");
  await vpp.dump("sw_interface_dump", { sw_if_index: NONE });

  const gateway = await vpp.request("create_loopback_instance", {
    mac_address: mac("02:00:00:00:00:01"),
    is_specified: true,
    user_instance: 42,
  });
  const pod = await vpp.request("create_loopback_instance", {
    mac_address: mac("02:00:00:00:00:02"),
  });
  for (const { sw_if_index } of [gateway, pod]) {
    await vpp.request("sw_interface_set_flags", { sw_if_index, flags: 1 });
  }
  await vpp.request("sw_interface_set_mtu", {
    sw_if_index: pod.sw_if_index,
    mtu: [1500, 0, 0, 0],
  });
  await vpp.request("sw_interface_tag_add_del", {
    is_add: true,
    sw_if_index: pod.sw_if_index,
    tag: "contiv/pod",
  });
  for (const text of ["10.1.1.1/32", "fd10:1::101/128"]) {
    await vpp.request("sw_interface_add_del_address", {
      sw_if_index: gateway.sw_if_index,
      is_add: true,
      prefix: prefix(text),
    });
  }
  await vpp.request("sw_interface_set_unnumbered", {
    sw_if_index: gateway.sw_if_index,
    unnumbered_sw_if_index: pod.sw_if_index,
    is_add: true,
  });
  for (const text of ["10.1.1.2", "fd10:1::102"]) {
    const is6 = text.includes(":");
    const un = address(text).un;
    await vpp.request("ip_neighbor_add_del", {
      is_add: true,
      neighbor: {
        sw_if_index: pod.sw_if_index,
        flags: 1,
        mac_address: mac("02:00:00:00:00:03"),
        ip_address: address(text),
      },
    });
    await vpp.request("ip_route_add_del_v2", {
      is_add: true,
      route: {
        prefix: prefix(`${text}/${is6 ? 128 : 32}`),
        paths: [{
          sw_if_index: pod.sw_if_index,
          weight: 1,
          proto: is6 ? FibPathNhProto.IP6 : FibPathNhProto.IP4,
          nh: { address: un },
        }],
      },
    });
  }

  await vpp.dump("sw_interface_dump", { sw_if_index: NONE });
  await vpp.dump("ip_unnumbered_dump", { sw_if_index: NONE });
  for (const is_ipv6 of [false, true]) {
    await vpp.dump("ip_address_dump", { sw_if_index: gateway.sw_if_index, is_ipv6 });
    await vpp.dump("ip_neighbor_dump", { sw_if_index: NONE, af: is_ipv6 ? 1 : 0 });
    await vpp.dump("ip_route_v2_dump", { src: 0, table: { table_id: 0, is_ip6: is_ipv6 } });
  }

  // Refusals, with VPP's own numbers.
  const missing = 4_000;
  await vpp.requestRaw("sw_interface_set_flags", { sw_if_index: missing, flags: 1 });
  await vpp.requestRaw("sw_interface_add_del_address", {
    sw_if_index: gateway.sw_if_index,
    is_add: true,
    prefix: prefix("10.1.1.1/32"),
  });
  await vpp.requestRaw("ip_route_add_del_v2", {
    is_add: true,
    route: { table_id: 99, prefix: prefix("10.9.0.0/16"), paths: [{ sw_if_index: NONE }] },
  });
  await vpp.requestRaw("tap_delete_v2", { sw_if_index: missing });
  await vpp.requestRaw("delete_loopback", { sw_if_index: missing });

  for (const { sw_if_index } of [pod, gateway]) {
    await vpp.request("delete_loopback", { sw_if_index });
  }
  await vpp.dump("sw_interface_dump", { sw_if_index: NONE });
}
