import { CniError, parsePrevResult, validAttachments } from "@contiv/cni-spec";
import { convertResult, readCniEnvironment } from "@contiv/cni-spec";
import { checkConfig, decodeConfig } from "@contiv/cni-spec";
import { readPluginConfig } from "../../../cni/_plugin_config.ts";
import { readCorpus } from "../corpus.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";

const decoder = new TextDecoder();

/** The CNI plugin's environment, one line of `NAME=value` with tabs between, and its input. */
export const plugin: FuzzTarget = {
  name: "plugin",
  corpus: () => readCorpus("plugin"),
  dictionary: [
    ...["CNI_COMMAND=GC", "CNI_IFNAME=..", "CNI_CONTAINERID=", "CNI_NETNS=/", "\t", "\n", "\0"],
    ...["null", "[]", "{}", "1e999", "-1", '"\\u0000"', "__proto__", '"prevResult":', "../"],
    ...['"cniVersion":"0.3.1"', '"cni.dev/valid-attachments":', '"timeoutSeconds":'],
  ],
  start: () => ({
    take: (input) => {
      const end = input.indexOf(10);
      const line = decoder.decode(input.subarray(0, end < 0 ? input.length : end));
      const environment = new Map(
        line.split("\t").map((pair) => {
          const at = pair.indexOf("=");
          return [pair.slice(0, at), pair.slice(at + 1)] as const;
        }),
      );
      return readOrRefused(() => {
        const { verb } = readCniEnvironment((name) => environment.get(name));
        const keys = decodeConfig(input.subarray(end + 1));
        const { cniVersion } = checkConfig(keys, verb);
        readPluginConfig(keys);
        if (verb === "GC") validAttachments(keys);
        const previous = parsePrevResult(keys);
        if (previous !== undefined) convertResult(previous, cniVersion);
      }, CniError);
    },
  }),
};
