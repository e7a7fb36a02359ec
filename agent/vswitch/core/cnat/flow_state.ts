/** What cnat knows of a packet on its way (VPP: cnat_types.h, CNAT_LOOKUP_IS_*). */
export const FlowState = {
  /** It was not looked at, or is done with. */
  NONE: 0,
  /** The first packet of its flow. */
  NEW: 1,
  FORWARD: 2,
  RETURN: 3,
  /** Of no flow that could be known: a later fragment, another protocol, no room for one more. */
  UNKNOWN: 4,
} as const;
