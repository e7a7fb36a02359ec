/** What the switch says it is: the VPP whose API it serves, and that it is ours. */
export const SWITCH_VERSION = "26.06-contiv";
