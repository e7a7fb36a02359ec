import { assertEquals, assertThrows } from "@contiv/assert";
import { IdentityError } from "./identity_error.ts";
import { chooseNodeId } from "./node_identity.ts";

Deno.test("a node keeps its ID, and a new one gets the lowest that is free", () => {
  const holders = new Map([[1, "a"], [2, "b"], [4, "d"]]);
  assertEquals(chooseNodeId(holders, "b", undefined, 9), 2);
  assertEquals(chooseNodeId(holders, "c", undefined, 9), 3);
  assertEquals(chooseNodeId(holders, "c", 7, 9), 7);
  assertEquals(chooseNodeId(holders, "d", 4, 9), 4);
  assertThrows(() => chooseNodeId(holders, "c", 2, 9), IdentityError, "node b has it by now");
  assertThrows(
    () => chooseNodeId(new Map([[1, "a"]]), "c", undefined, 1),
    IdentityError,
    "all 1 are held",
  );
});
