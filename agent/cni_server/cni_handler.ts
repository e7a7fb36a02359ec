import {
  checkConfig,
  CniError,
  CniErrorCode,
  type CniVerb,
  convertResult,
  decodeConfig,
  isCniVerb,
  isInterfaceName,
  mergeResult,
  type NetworkConfig,
  parsePrevResult,
  validAttachments,
} from "@contiv/cni-spec";
import type { LogFields, Logger } from "@contiv/log";
import type { CniReply, CniRequest } from "@contiv/rpc";
import { type AttachmentKey, describeAttachment, parsePodIdentity } from "../attachments/mod.ts";
import { AgentCniCode, type AttachmentController } from "../controller/mod.ts";
import type { NodePrefix } from "../ipam/mod.ts";
import { addResult, contradiction } from "./add_result.ts";

export interface CniHandlerOptions {
  readonly attachments: AttachmentController;
  readonly layouts: readonly NodePrefix[];
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly log: Logger;
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Carries out CNI requests: from the plugin's message to its answer. Never throws. */
export class CniHandler {
  readonly #options: CniHandlerOptions;

  constructor(options: CniHandlerOptions) {
    this.#options = options;
  }

  async handle(request: CniRequest): Promise<CniReply> {
    const { clock, log } = this.#options;
    const start = clock();
    const about: LogFields = {
      command: request.command,
      container: request.containerId || undefined,
      ifname: request.ifname || undefined,
      pod: podOf(request),
    };
    try {
      if (!isCniVerb(request.command)) {
        throw new CniError(
          CniErrorCode.INVALID_ENVIRONMENT,
          `Cannot carry out ${JSON.stringify(request.command)}: no command of CNI`,
        );
      }
      const config = checkConfig(decodeConfig(request.config), request.command);
      const { result, more } = await this.#carryOut(request.command, request, config);
      log.info("cni done", { ...about, network: config.name, ...more, ms: since(start, clock()) });
      return { code: 0, message: "", details: "", result };
    } catch (error) {
      const failure = toCniError(request.command, error);
      const { code, message, details } = failure;
      const fields = { code, error: message, details: details || undefined };
      log.warn("cni failed", { ...about, ...fields, ms: since(start, clock()) });
      return { code, message, details, result: NOTHING };
    }
  }

  async #carryOut(
    verb: CniVerb,
    request: CniRequest,
    config: NetworkConfig,
  ): Promise<{ readonly result: Uint8Array; readonly more?: LogFields }> {
    const { attachments } = this.#options;
    switch (verb) {
      case "ADD":
        return await this.#add(request, config);
      case "DEL":
        await attachments.delete(keyOf(request, config));
        break;
      case "CHECK":
        await this.#check(request, config);
        break;
      case "GC":
        await attachments.collect(config.name, validAttachments(config.keys));
        break;
      case "STATUS":
        attachments.status();
        break;
    }
    return { result: NOTHING };
  }

  async #add(
    request: CniRequest,
    config: NetworkConfig,
  ): Promise<{ readonly result: Uint8Array; readonly more: LogFields }> {
    const { attachments, layouts } = this.#options;
    const previous = parsePrevResult(config.keys);
    const pod = parsePodIdentity(request.args);
    const attachment = await attachments.add({
      key: keyOf(request, config),
      netns: requireNetns(request),
      ...pod && { pod },
    });
    // The configuration's dns has the form of a result's, and is passed on as one.
    const dns = parsePrevResult({ prevResult: { dns: config.keys["dns"] } })?.dns;
    const result = mergeResult(previous, addResult(attachment, layouts, dns));
    return {
      result: new TextEncoder().encode(JSON.stringify(convertResult(result, config.cniVersion))),
      more: { addresses: attachment.addresses.join(",") },
    };
  }

  async #check(request: CniRequest, config: NetworkConfig): Promise<void> {
    const key = keyOf(request, config);
    const attachment = await this.#options.attachments.check(key, requireNetns(request));
    const previous = parsePrevResult(config.keys);
    if (previous === undefined) return;
    const wrong = contradiction(previous, addResult(attachment, this.#options.layouts));
    if (wrong !== undefined) {
      const message = `Cannot confirm ${describeAttachment(attachment)}: ${wrong}`;
      throw new CniError(AgentCniCode.CHECK_FAILED, message);
    }
  }
}

function keyOf(request: CniRequest, config: NetworkConfig): AttachmentKey {
  const { containerId, ifname } = request;
  if (containerId === "" || !isInterfaceName(ifname)) {
    throw new CniError(
      CniErrorCode.INVALID_ENVIRONMENT,
      `Cannot ${request.command}: container ${JSON.stringify(containerId)}, interface ` +
        `${JSON.stringify(ifname)}, both wanted`,
    );
  }
  return { network: config.name, containerId, ifname };
}

function requireNetns({ command, netns }: CniRequest): string {
  if (netns !== "") return netns;
  throw new CniError(
    CniErrorCode.INVALID_ENVIRONMENT,
    `Cannot ${command}: no network namespace, a path wanted`,
  );
}

function podOf({ args }: CniRequest): string | undefined {
  const pod = parsePodIdentity(args);
  return pod && `${pod.namespace}/${pod.name}`;
}

function toCniError(command: string, error: unknown): CniError {
  if (error instanceof CniError) return error;
  const retryable = error instanceof Error && "retryable" in error && error.retryable === true;
  const message = error instanceof Error ? error.message : String(error);
  return new CniError(
    retryable ? CniErrorCode.TRY_AGAIN_LATER : CniErrorCode.INTERNAL,
    `Cannot ${command}: ${message}`,
    undefined,
    { cause: error },
  );
}

/** Milliseconds with two digits, as logs show them. */
function since(start: number, end: number): number {
  return Math.round((end - start) * 100) / 100;
}
