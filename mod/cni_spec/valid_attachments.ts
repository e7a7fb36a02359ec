import { isCniName, isInterfaceName } from "./environment.ts";
import { invalid, isJsonObject, type JsonObject } from "./network_config.ts";

/** One interface of one container (CNI 1.1.0, 1: an attachment, within its network). */
export interface CniAttachment {
  readonly containerId: string;
  readonly ifname: string;
}

const KEY = "cni.dev/valid-attachments";
/** libcni writes this name too, which an early text of the specification had. */
const EARLY_KEY = "cni.dev/attachments";

/**
 * The attachments that GC has to spare (CNI 1.1.0, 2, GC). A missing list is an error: read as
 * empty, it would remove every attachment of the network. `null` is an empty list of a runtime in
 * Go.
 * @throws {CniError} INVALID_NETWORK_CONFIG
 */
export function validAttachments(config: JsonObject): CniAttachment[] {
  const list = config[KEY] !== undefined ? config[KEY] : config[EARLY_KEY];
  if (list === null) return [];
  if (!Array.isArray(list)) throw invalid(KEY, list, "the list of attachments to keep");
  return list.map((entry: unknown) => {
    const { containerID: containerId, ifname } = isJsonObject(entry) ? entry : {};
    if (
      typeof containerId !== "string" || !isCniName(containerId) ||
      typeof ifname !== "string" || !isInterfaceName(ifname)
    ) {
      throw invalid(KEY, entry, "a containerID and an ifname in each entry");
    }
    return { containerId, ifname };
  });
}
