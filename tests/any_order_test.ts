/** Whatever starts first: the end is the same. `deno task orders` has all 720 orders. */
import { assertEquals } from "@contiv/assert";
import { OrderWorld } from "./any_order/order_world.ts";
import { order, ORDERS } from "./any_order/orders.ts";
import { dataPlaneTest } from "./support/requires.ts";

/** The store first, last, and in between, each time with another one of the rest before. */
const NUMBERS = [0, ORDERS - 1, 470];

Deno.test("there are 720 orders, and no two are the same", () => {
  const all = Array.from({ length: ORDERS }, (_, i) => order(i).join());
  assertEquals([ORDERS, new Set(all).size], [720, 720]);
});

dataPlaneTest("in whatever order a cluster starts, it ends the same", async (dataPlane, t) => {
  await using world = await OrderWorld.start(dataPlane);
  for (const number of NUMBERS) {
    await t.step(order(number).join(", "), () => world.run(order(number)));
  }
});
