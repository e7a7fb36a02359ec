import { NONE, PathProto, PathType, type RoutePath } from "../types.ts";

const EMPTY_PATH: RoutePath = {
  swIfIndex: NONE,
  tableId: 0,
  rpfId: 0,
  weight: 1,
  preference: 0,
  type: PathType.NORMAL,
  flags: 0,
  proto: PathProto.IP4,
  nextHop: undefined,
};

/** A path with VPP's defaults where nothing else is said. */
export function makePath(fields: Partial<RoutePath>): RoutePath {
  return { ...EMPTY_PATH, ...fields };
}
