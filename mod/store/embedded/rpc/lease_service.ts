import type { Engine } from "../engine.ts";
import {
  Acknowledgement,
  Empty,
  LeaseGrantRequest,
  LeaseGrantResponse,
  LeaseKeepAliveResponse,
  LeaseLeasesResponse,
  LeaseRequest,
  LeaseTimeToLiveRequest,
  LeaseTimeToLiveResponse,
} from "../wire/messages.ts";
import { type Method, streaming, unary } from "./method.ts";

/** What etcd answers for a lease that is gone. */
const GONE = -1;

/** `etcdserverpb.Lease`. */
export function leaseService(engine: Engine): readonly Method[] {
  const { leases } = engine;
  const path = (name: string): string => `/etcdserverpb.Lease/${name}`;
  return [
    unary(path("LeaseGrant"), LeaseGrantRequest, LeaseGrantResponse, async ({ id, ttl }) => {
      const granted = await engine.grant(id, ttl);
      return { header: engine.header, ...granted };
    }),
    unary(path("LeaseRevoke"), LeaseRequest, Acknowledgement, async ({ id }) => {
      await engine.revoke(id);
      return { header: engine.header };
    }),
    unary(
      path("LeaseTimeToLive"),
      LeaseTimeToLiveRequest,
      LeaseTimeToLiveResponse,
      ({ id, keys }) => {
        const time = leases.timeToLive(id);
        if (time === undefined) return { header: engine.header, id, ttl: GONE };
        return {
          header: engine.header,
          id,
          ttl: time.left,
          grantedTtl: time.granted,
          keys: keys ? leases.keys(id) : [],
        };
      },
    ),
    unary(path("LeaseLeases"), Empty, LeaseLeasesResponse, () => ({
      header: engine.header,
      leases: leases.ids().map((id) => ({ id })),
    })),
    streaming(path("LeaseKeepAlive"), LeaseRequest, (call) => {
      call.on("data", ({ message: { id } }) => {
        const ttl = leases.keepAlive(id);
        // A client that asks and does not read is made to wait.
        if (!call.write(LeaseKeepAliveResponse.encode({ header: engine.header, id, ttl }))) {
          call.pause();
          call.once("drain", () => call.resume());
        }
      });
      call.on("end", () => call.end());
      call.on("error", () => call.end());
    }),
  ];
}
