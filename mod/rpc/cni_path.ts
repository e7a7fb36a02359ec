/** HTTP/2 path of Cni.Invoke (cni.proto). */
export const CNI_INVOKE_PATH = "/contiv.cni.v1.Cni/Invoke";

/** Where the agent listens unless configured otherwise: a Unix socket, mode 0600. */
export const DEFAULT_AGENT_SOCKET = "/run/contiv/agent.sock";
