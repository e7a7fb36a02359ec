import { Libc } from "@contiv/libc";
import type { Plumbed, PlumberAnswer, PlumberCall, PlumberRequest } from "./_plumber_protocol.ts";
import { plumbLink, plumbTap } from "./_plumbing.ts";
import { plumbPacket } from "./_plumb_packet.ts";
import { PortError } from "./port_error.ts";

/** The plumber's thread: does one request after the other. */
interface WorkerScope {
  onmessage: ((event: MessageEvent<PlumberCall>) => void) | null;
  postMessage(answer: PlumberAnswer): void;
}

const scope = globalThis as unknown as WorkerScope;
const libc = Libc.open();

scope.onmessage = ({ data: { id, request } }) => {
  try {
    scope.postMessage({ id, result: plumb(request) });
  } catch (error) {
    const retval = error instanceof PortError ? error.retval : -1;
    const message = error instanceof Error ? error.message : String(error);
    scope.postMessage({ id, retval, message });
  }
};

function plumb(request: PlumberRequest): Plumbed | undefined {
  switch (request.kind) {
    case "tap":
      return plumbTap(libc, request.spec);
    case "packet":
      return plumbPacket(libc, request.hostIfName);
    case "link":
      return void plumbLink(libc, request.hostIfName, request.up);
  }
}
