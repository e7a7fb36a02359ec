import { assertEquals } from "@contiv/assert";
import { countSide } from "./side_count.ts";

const REPORT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="6" failures="1" errors="0" time="5.008">
    <testsuite name="./a_test.ts" tests="6" disabled="1" errors="0" failures="1">
        <testcase name="it works on VPP" classname="./a_test.ts" time="1.290" line="24" col="8">
        </testcase>
        <testcase name="it works on VPP &gt; first, on VPP too" classname="./a_test.ts" time="1" line="1" col="1">
        </testcase>
        <testcase name="it breaks on VPP" classname="./a_test.ts" time="1.290" line="24" col="8">
            <failure message="Uncaught error">AssertionError</failure>
        </testcase>
        <testcase name="it waits on VPP (skipped: CONTIV_VPP names no vpp binary)" classname="./a_test.ts" time="0" line="65" col="12">
            <skipped/>
        </testcase>
        <testcase name="it works on the embedded vswitch" classname="./a_test.ts" time="1" line="24" col="8">
        </testcase>
        <testcase name="nothing depends on VPP at all" classname="./a_test.ts" time="1" line="24" col="8">
        </testcase>
    </testsuite>
</testsuites>
`;

Deno.test("tests are counted for the data plane that their names end with", () => {
  assertEquals(countSide(REPORT, "on VPP"), { passed: 1, failed: 1, skipped: 1, steps: 1 });
  assertEquals(countSide(REPORT, "on the embedded vswitch"), {
    passed: 1,
    failed: 0,
    skipped: 0,
    steps: 0,
  });
  assertEquals(countSide("", "on VPP"), { passed: 0, failed: 0, skipped: 0, steps: 0 });
});
