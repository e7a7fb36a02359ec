import { status } from "@grpc/grpc-js";
import type { Engine } from "../engine.ts";
import { StatusError } from "../status_error.ts";
import {
  AlarmAction,
  AlarmRequest,
  AlarmResponse,
  AlarmType,
  Empty,
  MemberListResponse,
  StatusResponse,
} from "../wire/messages.ts";
import { type Method, unary } from "./method.ts";

/** The etcd whose API this is, and who serves it. */
const VERSION = "3.4.0+contiv";

/** How a store tells of itself. */
export interface MemberInfo {
  readonly name: string;
  /** Where clients reach it. */
  readonly clientUrls: readonly string[];
}

/** `Maintenance.Status`, `Maintenance.Alarm` (to ask, not to set) and `Cluster.MemberList`. */
export function memberService(engine: Engine, info: () => MemberInfo): readonly Method[] {
  const { memberId } = engine.keyspace;
  return [
    unary("/etcdserverpb.Maintenance/Status", Empty, StatusResponse, () => {
      const { header, full } = engine;
      const { total, used } = engine.size();
      return {
        header,
        version: VERSION,
        dbSize: total,
        dbSizeInUse: used,
        leader: memberId,
        raftIndex: header.revision,
        raftAppliedIndex: header.revision,
        raftTerm: header.raftTerm,
        errors: full ? [`memberID:${memberId} alarm:NOSPACE`] : [],
      };
    }),
    unary("/etcdserverpb.Maintenance/Alarm", AlarmRequest, AlarmResponse, ({ action, alarm }) => {
      if (action !== AlarmAction.GET) {
        const details = "etcdserver: alarms of this store cannot be set, it sets them itself";
        throw new StatusError(status.UNIMPLEMENTED, details);
      }
      const asked = alarm === AlarmType.NONE || alarm === AlarmType.NOSPACE;
      const alarms = engine.full && asked ? [{ memberId, alarm: AlarmType.NOSPACE }] : [];
      return { header: engine.header, alarms };
    }),
    unary("/etcdserverpb.Cluster/MemberList", Empty, MemberListResponse, () => {
      const { name, clientUrls } = info();
      const member = { id: memberId, name, peerUrls: [], clientUrls, isLearner: false };
      return { header: engine.header, members: [member] };
    }),
  ];
}
