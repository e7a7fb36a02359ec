import { ConfigError } from "@contiv/config";
import { parseAgentConfig } from "../../../agent/config.ts";
import { readCorpus } from "../corpus.ts";
import { type FuzzTarget, readOrRefused } from "../target.ts";

const decoder = new TextDecoder();

/** The agent's configuration file. */
export const config: FuzzTarget = {
  name: "config",
  corpus: () => readCorpus("config"),
  dictionary: [
    ...['"nodeId":', '"ipam":', '"podSubnets":[', '"10.0.0.0/8"', '"::/0"', "1e400", "-1"],
    ...["null", "true", "[[", '{"a":', '"__proto__"', "\\ud800", "65536", '"fd::1%eth0/64"'],
  ],
  start: () => ({
    take: (input) =>
      readOrRefused(
        () => void parseAgentConfig(decoder.decode(input), "/etc/contiv/agent.json", "host"),
        ConfigError,
      ),
  }),
};
