import { assert, assertEquals, assertStringIncludes } from "@contiv/assert";
import { userNamespaceRefusal } from "./user_namespace.ts";

Deno.test("the setting that forbids user namespaces is named with its remedy", async (t) => {
  const cases: readonly [file: string, forbids: string, allows: string][] = [
    ["/proc/sys/kernel/unprivileged_userns_clone", "0", "1"],
    ["/proc/sys/user/max_user_namespaces", "0", "96365"],
    ["/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1", "0"],
  ];
  for (const [file, forbids, allows] of cases) {
    const name = file.slice("/proc/sys/".length).replaceAll("/", ".");
    await t.step(name, () => {
      const refusal = (value: string): string =>
        userNamespaceRefusal("what unshare said", (asked) => asked === file ? value : undefined);
      assertStringIncludes(refusal(`${forbids}\n`), `${name} is ${forbids}: sysctl ${name}=`);
      assert(refusal(`${allows}\n`).endsWith("what unshare said"));
    });
  }
  await t.step("two at once are both named", () => {
    const refusal = userNamespaceRefusal("", () => "0");
    assertEquals(refusal.split(";").length, 2, refusal);
  });
});
