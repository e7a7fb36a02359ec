import { assertEquals } from "@contiv/assert";
import { MessageTable } from "./message_table.ts";
import { Schema } from "./schema.ts";

const schema = Schema.builtin();

Deno.test("a server's table gives each message one number and the hello VPP's", () => {
  const table = MessageTable.of(schema);
  assertEquals(table.entries.length, schema.names().length);
  assertEquals(table.idOf(schema.message("sockclnt_create")), 15);
  assertEquals(table.idOf(schema.message("sockclnt_create_reply")), 16);
  const ids = table.entries.map(({ index }) => index);
  assertEquals(ids, Array.from({ length: ids.length }, (_, position) => 15 + position));
});

Deno.test("a message with another CRC is told from one that is absent", () => {
  const table = new MessageTable([
    { index: 15, name: schema.message("sockclnt_create").key },
    { index: 20, name: "control_ping_deadbeef" },
  ]);
  assertEquals(table.idOf(schema.message("sockclnt_create")), 15);
  assertEquals(table.mismatch(schema.message("sockclnt_create")), undefined);
  assertEquals(table.idOf(schema.message("control_ping")), undefined);
  assertEquals(table.mismatch(schema.message("control_ping")), "layout");
  assertEquals(table.mismatch(schema.message("control_ping_reply")), "absent");
});
