import type { ProbeService } from "../../deploy/sandbox/probe/mod.ts";
import { answerTo, receiptOf } from "./path_probe.ts";

/**
 * Takes datagrams of any size, and streams, and answers with a receipt that fits everywhere; or to
 * a question with as much as it asks for.
 */
export const RECEIPTS: ProbeService = {
  datagram: (data) => answerTo(data) ?? receiptOf(data),

  /** The first four octets say how many follow. */
  async connection(connection): Promise<void> {
    using _closed = connection;
    const chunks: number[] = [];
    const buffer = new Uint8Array(65_536);
    for (;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      for (const octet of buffer.subarray(0, count)) chunks.push(octet);
      if (chunks.length < 4) continue;
      const size = new DataView(Uint8Array.from(chunks.slice(0, 4)).buffer).getUint32(0);
      if (chunks.length < 4 + size) continue;
      await connection.write(receiptOf(Uint8Array.from(chunks.slice(4, 4 + size))));
      return;
    }
  },
};
