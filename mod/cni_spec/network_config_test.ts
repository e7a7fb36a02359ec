import { assertEquals, assertThrows } from "@contiv/assert";
import { CniError, CniErrorCode } from "./cni_error.ts";
import { checkConfig, decodeConfig } from "./network_config.ts";
import { validAttachments } from "./valid_attachments.ts";
import { CNI_VERBS, CNI_VERSIONS } from "./versions.ts";

const BASE = { cniVersion: "1.1.0", name: "net", type: "contiv" };

Deno.test("each version has the commands that it brought", () => {
  const had: Record<string, string[]> = {};
  for (const cniVersion of CNI_VERSIONS) {
    had[cniVersion] = CNI_VERBS.filter((verb) => {
      try {
        checkConfig({ ...BASE, cniVersion, prevResult: {} }, verb);
        return true;
      } catch (error) {
        assertEquals((error as CniError).code, CniErrorCode.INCOMPATIBLE_VERSION);
        return false;
      }
    });
  }
  assertEquals(had, {
    "0.3.1": ["ADD", "DEL"],
    "0.4.0": ["ADD", "DEL", "CHECK"],
    "1.0.0": ["ADD", "DEL", "CHECK"],
    "1.1.0": ["ADD", "DEL", "CHECK", "GC", "STATUS"],
  });
});

Deno.test("wrong configurations are refused with the code of their kind", async (t) => {
  const { DECODING_FAILURE, INCOMPATIBLE_VERSION, INVALID_NETWORK_CONFIG } = CniErrorCode;
  const cases: readonly [config: unknown, code: number, includes: string][] = [
    [undefined, DECODING_FAILURE, "JSON"],
    [[], DECODING_FAILURE, "object"],
    [null, DECODING_FAILURE, "object"],
    [{ ...BASE, cniVersion: 1 }, DECODING_FAILURE, "cniVersion"],
    [{ ...BASE, cniVersion: undefined }, INCOMPATIBLE_VERSION, "0.1.0"],
    [{ ...BASE, cniVersion: "0.2.0" }, INCOMPATIBLE_VERSION, "0.3.1, 0.4.0, 1.0.0, 1.1.0"],
    [{ ...BASE, cniVersion: "9.9.9" }, INCOMPATIBLE_VERSION, "9.9.9"],
    [{ ...BASE, name: undefined }, INVALID_NETWORK_CONFIG, "name"],
    [{ ...BASE, name: "../x" }, INVALID_NETWORK_CONFIG, "name"],
    [{ ...BASE, type: "" }, INVALID_NETWORK_CONFIG, "type"],
    [{ ...BASE, prevResult: "x" }, INVALID_NETWORK_CONFIG, "prevResult"],
  ];
  for (const [config, code, includes] of cases) {
    await t.step(JSON.stringify(config) ?? "nothing", () => {
      const bytes = new TextEncoder().encode(JSON.stringify(config) ?? "");
      const check = (): unknown => checkConfig(decodeConfig(bytes), "ADD");
      assertEquals(assertThrows(check, CniError, includes).code, code);
    });
  }
});

Deno.test("CHECK needs a prevResult, ADD takes null for none", () => {
  assertThrows(() => checkConfig(BASE, "CHECK"), CniError, "prevResult");
  assertEquals(checkConfig({ ...BASE, prevResult: null }, "ADD").name, "net");
});

Deno.test("GC spares what is listed, and never guesses", () => {
  const one = { containerID: "c1", ifname: "eth0" };
  const kept = [{ containerId: "c1", ifname: "eth0" }];
  assertEquals(validAttachments({ "cni.dev/valid-attachments": [one] }), kept);
  assertEquals(validAttachments({ "cni.dev/attachments": [one] }), kept);
  assertEquals(validAttachments({ "cni.dev/valid-attachments": null }), []);
  for (const bad of [undefined, {}, [{}], [null], [{ ...one, ifname: "a/b" }]]) {
    const config = { "cni.dev/valid-attachments": bad };
    const error = assertThrows(() => validAttachments(config), CniError);
    assertEquals(error.code, CniErrorCode.INVALID_NETWORK_CONFIG);
  }
});
