/** Transport protocols of services, ports and policies. */
export const PROTOCOLS = ["TCP", "UDP", "SCTP"] as const;

export type Protocol = typeof PROTOCOLS[number];
