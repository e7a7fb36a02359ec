import type { CniResult } from "./result.ts";

/**
 * What a plugin in a chain answers: the result of those before it, and its own behind (CNI 1.1.0,
 * 5: prevResult is to be output with the plugin's modifications). The first DNS that is said counts.
 */
export function mergeResult(previous: CniResult | undefined, own: CniResult): CniResult {
  if (previous === undefined) return own;
  const shift = previous.interfaces.length;
  const dns = previous.dns ?? own.dns;
  return {
    interfaces: [...previous.interfaces, ...own.interfaces],
    ips: [
      ...previous.ips,
      ...own.ips.map((ip) =>
        ip.interface === undefined ? ip : { ...ip, interface: ip.interface + shift }
      ),
    ],
    routes: [...previous.routes, ...own.routes],
    ...dns && { dns },
  };
}
