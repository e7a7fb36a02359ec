import type { CniResult } from "./result.ts";
import type { CniVersion } from "./versions.ts";

/**
 * A result in the form of a version of the specification, ready for JSON. 1.1.0 has all of
 * {@link CniResult}; 1.0.0 lacks the interfaces' mtu, socketPath and pciID and the routes' mtu,
 * advmss, priority, table and scope; 0.4.0 and 0.3.1 say each address's family besides.
 */
export function convertResult(result: CniResult, version: CniVersion): Record<string, unknown> {
  const newest = version === "1.1.0";
  const withFamily = version === "0.3.1" || version === "0.4.0";
  return {
    cniVersion: version,
    interfaces: result.interfaces.map((entry) =>
      newest ? entry : pick(entry, ["name", "mac", "sandbox"])
    ),
    ips: result.ips.map((ip) =>
      withFamily ? { version: ip.address.includes(":") ? "6" : "4", ...ip } : ip
    ),
    routes: result.routes.map((route) => newest ? route : pick(route, ["dst", "gw"])),
    ...result.dns && { dns: result.dns },
  };
}

function pick<T extends object, K extends keyof T>(from: T, keys: readonly K[]): Partial<T> {
  const picked: Partial<T> = {};
  for (const key of keys) {
    if (from[key] !== undefined) picked[key] = from[key];
  }
  return picked;
}
