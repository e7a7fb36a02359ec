import { assertEquals, assertThrows } from "@contiv/assert";
import { UsageError } from "@contiv/cli";
import { parseStoreConfig } from "./store_config.ts";

Deno.test("without flags, the store is a socket of its owner's alone", () => {
  assertEquals(parseStoreConfig([]), {
    data: "/var/lib/contiv/store.db",
    listen: [{ type: "unix", path: "/run/contiv/store.sock" }],
    socketMode: 0o600,
    tls: undefined,
    maxBytes: 2_147_483_648,
    history: { changes: 100_000, bytes: 268_435_456 },
    progressMs: 600_000,
    name: "contiv",
    logLevel: "info",
  });
});

Deno.test("addresses are read in the words of endpoints", () => {
  const args = [
    ["--listen", "unix:/s, http://127.0.0.1:1,https://[::1]:0,https://db.example:2379"],
    ["--tls-cert", "c", "--tls-key", "k", "--client-ca", "a"],
  ].flat();
  const config = parseStoreConfig(args);
  assertEquals(config?.listen, [
    { type: "unix", path: "/s" },
    { type: "tcp", host: "127.0.0.1", port: 1, tls: false },
    { type: "tcp", host: "[::1]", port: 0, tls: true },
    { type: "tcp", host: "db.example", port: 2379, tls: true },
  ]);
  assertEquals(config?.tls, { cert: "c", key: "k", clientCa: "a" });
  assertEquals(parseStoreConfig(["--help"]), undefined);
});

Deno.test("what cannot work, or lets anyone in, is refused by flag, value and what is wanted", async (t) => {
  const tls = ["--tls-cert", "c", "--tls-key", "k"];
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--listen", ""], "--listen is empty"],
    [["--listen", "2379"], "Cannot listen on 2379"],
    [["--listen", "unix:relative"], "Cannot listen on unix:relative"],
    [["--listen", "http://127.0.0.1:70000"], "Cannot listen on http://127.0.0.1:70000"],
    [["--listen", "http://0.0.0.0:2379"], "anyone could change everything, https with --client-ca"],
    [["--listen", "https://10.0.0.1:2379", ...tls], "anyone could change everything"],
    [["--listen", "https://127.0.0.1:1"], "no certificate is given, --tls-cert wanted"],
    [["--tls-cert", "c"], "one is given, both wanted"],
    [["--client-ca", "a"], "--client-ca is given without --tls-cert"],
    [["--socket-mode", "rw"], "--socket-mode is rw, such as 600"],
    [["--max-size", "0"], "--max-size is 0, a whole number from 1"],
    [["--history-changes", "10"], "--history-changes is 10, a whole number from 1000"],
    [["--history-size", "1.5"], "--history-size is 1.5"],
    [["--progress-interval", "-1"], "--progress-interval"],
    [["--log-level", "loud"], "--log-level is loud, one of debug"],
    [["--data", ""], "--data is empty"],
    [["now"], "unexpected argument now"],
    [["--unknown"], "--unknown"],
  ];
  for (const [args, message] of cases) {
    await t.step(args.join(" "), () => {
      assertThrows(() => parseStoreConfig(args), UsageError, message);
    });
  }
  parseStoreConfig(["--listen", "http://0.0.0.0:2379", "--allow-anyone"]);
});
