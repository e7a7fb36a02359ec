import { CniError, CniErrorCode } from "@contiv/cni-spec/cni_error.ts";
import type { CniVerb } from "@contiv/cni-spec/versions.ts";
import { type CniRequest, decodeCniReply, encodeCniRequest } from "@contiv/rpc/cni_codec.ts";
import { CNI_INVOKE_PATH } from "@contiv/rpc/cni_path.ts";
import { RpcDecodeError } from "@contiv/rpc/decode_error.ts";
import { RpcError } from "@contiv/rpc/rpc_error.ts";
import { callUnary } from "@contiv/rpc/unary_client.ts";

export interface AgentCall {
  readonly socket: string;
  readonly timeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Has the agent carry out a command.
 * @returns ADD's result as JSON text, in the version of the request; empty for the others
 * @throws {CniError}
 */
export async function callAgent(
  request: CniRequest & { readonly command: CniVerb },
  call: AgentCall,
): Promise<string> {
  try {
    const message = encodeCniRequest(request);
    const reply = decodeCniReply(await callUnary({ ...call, path: CNI_INVOKE_PATH, message }));
    if (reply.code !== 0) throw new CniError(reply.code, reply.message, reply.details);
    if (request.command === "ADD" && reply.result.length === 0) {
      throw new CniError(CniErrorCode.INTERNAL, "Cannot ADD: the agent gave no result, wanted one");
    }
    return new TextDecoder().decode(reply.result);
  } catch (error) {
    if (error instanceof RpcError) throw agentFailure(request.command, error);
    if (error instanceof RpcDecodeError) {
      throw new CniError(CniErrorCode.DECODING_FAILURE, error.message, undefined, { cause: error });
    }
    throw error;
  }
}

/** What a call without a reply means to the runtime. */
function agentFailure(command: CniVerb, error: RpcError): CniError {
  const options = { cause: error };
  if (command === "STATUS") {
    // Forwarding goes on without the agent, so existing pods keep their connectivity.
    return new CniError(
      CniErrorCode.NOT_AVAILABLE,
      "Cannot serve ADD: the agent does not answer",
      error.message,
      options,
    );
  }
  if (error.retryable) {
    return new CniError(
      CniErrorCode.TRY_AGAIN_LATER,
      `Cannot ${command} now: the agent does not answer, wanted a reply`,
      error.message,
      options,
    );
  }
  return new CniError(
    CniErrorCode.IO_FAILURE,
    `Cannot ${command}: the call of the agent failed, wanted a reply`,
    error.message,
    options,
  );
}
