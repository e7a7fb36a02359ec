import { AfPacketFlags, AfPacketMode, type VppClient } from "@contiv/vppapi";

/** Octets a frame takes in a ring: VPP copies up to 64 KB, for GSO, without looking at the room. */
const FRAME_SIZE = 33 * 2_048;
/**
 * Frames in the rings, 12 MB for each interface. VPP's default of 1,024 locks 132 MB, and making and
 * undoing that keeps its main thread busy for hundreds of milliseconds.
 */
const RING_FRAMES = { rx: 128, tx: 64 } as const;
/**
 * A ring that tells of each frame at once, where version 3 collects them for a millisecond; and no
 * queueing discipline, which a veth has none of.
 */
const FLAGS = AfPacketFlags.VERSION_2 | AfPacketFlags.QDISC_BYPASS;

/**
 * Has VPP open a packet socket on a device of its namespace.
 * @param offload frames of up to 64 KB with their checksums left to whom they concern, as the kernel
 *   hands them over
 * @returns the interface's index
 */
export async function openPacketSocket(
  client: VppClient,
  device: string,
  mac: Uint8Array,
  offload: boolean,
): Promise<number> {
  const { sw_if_index } = await client.request("af_packet_create_v3", {
    mode: AfPacketMode.ETHERNET,
    use_random_hw_addr: false,
    hw_addr: mac,
    host_if_name: device,
    rx_frame_size: FRAME_SIZE,
    tx_frame_size: FRAME_SIZE,
    rx_frames_per_block: RING_FRAMES.rx,
    tx_frames_per_block: RING_FRAMES.tx,
    flags: offload ? FLAGS | AfPacketFlags.CKSUM_GSO : FLAGS,
  });
  return sw_if_index;
}
