import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@contiv/assert";
import { EBUSY, EINVAL, EIO, ENOBUFS } from "../constants/errno.ts";
import {
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_MULTI,
  NLM_F_REQUEST,
  NLMSG_OVERRUN,
} from "../constants/rtnetlink.ts";
import { NetlinkClient } from "./client.ts";
import { NetlinkError } from "./error.ts";
import {
  ackMessage,
  answerMessage,
  datagram,
  doneMessage,
  FakeNetlinkTransport,
} from "./fake_transport.ts";
import { NetlinkRequest } from "./request.ts";

const change = (): NetlinkRequest => new NetlinkRequest(16, NLM_F_ACK, 4);
const list = (): NetlinkRequest => new NetlinkRequest(18, NLM_F_DUMP, 4);
const entry = (value: number): Uint8Array => Uint8Array.of(value, 0, 0, 0);
const first = (payload: Uint8Array): number | undefined => payload[0];

Deno.test("a request is numbered, sent once and ends with its acknowledgement", () => {
  const fake = new FakeNetlinkTransport((r) => [ackMessage(r)], (r) => [ackMessage(r)]);
  const client = new NetlinkClient(fake);
  client.execute("change link", change());
  client.execute("change link", change());
  assertEquals(fake.history.map(({ type, flags, sequence }) => ({ type, flags, sequence })), [
    { type: 16, flags: NLM_F_REQUEST | NLM_F_ACK, sequence: 1 },
    { type: 16, flags: NLM_F_REQUEST | NLM_F_ACK, sequence: 2 },
  ]);
});

Deno.test("a refusal carries the kernel's words, the offset and what was attempted", () => {
  const words = { message: "MTU too high", offset: 36 };
  const fake = new FakeNetlinkTransport((r) => [ackMessage(r, EINVAL, words)]);
  const error = assertThrows(
    () => new NetlinkClient(fake).execute("set mtu 9 of link 1", change()),
    NetlinkError,
  );
  assertEquals(error.message, "Cannot set mtu 9 of link 1: MTU too high (EINVAL)");
  assertEquals(
    [error.operation, error.errno, error.code, error.offset, error.retryable],
    ["set mtu 9 of link 1", EINVAL, "EINVAL", 36, false],
  );
});

Deno.test("a refusal without the kernel's words says what its number means", () => {
  const fake = new FakeNetlinkTransport((r) => [ackMessage(r, EBUSY)]);
  const error = assertThrows(
    () => new NetlinkClient(fake).execute("set it", change()),
    NetlinkError,
  );
  assertEquals(error.message, "Cannot set it: device or resource busy (EBUSY)");
  assertStrictEquals(error.retryable, true);
});

Deno.test("a dump of several datagrams is read to its end", () => {
  const fake = new FakeNetlinkTransport((r) => [
    datagram(answerMessage(r, 16, entry(1)), answerMessage(r, 16, entry(2))),
    datagram(answerMessage(r, 16, entry(3)), doneMessage(r)),
  ]);
  assertEquals(new NetlinkClient(fake).dump("list", list(), first), [1, 2, 3]);
});

Deno.test("a dump whose list changed meanwhile is taken anew", () => {
  const interrupted = NLM_F_MULTI | NLM_F_DUMP_INTR;
  const fake = new FakeNetlinkTransport(
    (r) => [datagram(answerMessage(r, 16, entry(1), interrupted), doneMessage(r))],
    (r) => [datagram(answerMessage(r, 16, entry(1)), doneMessage(r, interrupted))],
    (r) => [datagram(answerMessage(r, 16, entry(2)), doneMessage(r))],
  );
  assertEquals(new NetlinkClient(fake).dump("list", list(), first), [2]);
  assertEquals(fake.history.length, 3);
});

Deno.test("a dump whose list never rests is given up after 8 attempts", () => {
  const always = Array.from(
    { length: 20 },
    () => (r: { sequence: number }) => [answerMessage(r, 3, entry(0), NLM_F_DUMP_INTR)],
  );
  const fake = new FakeNetlinkTransport(...always);
  const error = assertThrows(
    () => new NetlinkClient(fake).dump("list links", list(), first),
    NetlinkError,
  );
  assertEquals(error.code, "EINTR");
  assertEquals(fake.history.length, 8);
});

Deno.test("a dump of which answers were lost is taken anew", () => {
  const fake = new FakeNetlinkTransport(
    (r) => [answerMessage(r, 16, entry(1)), { errno: ENOBUFS }],
    (r) => [answerMessage(r, 16, entry(1)), answerMessage(r, NLMSG_OVERRUN, entry(0))],
    (r) => [answerMessage(r, 16, entry(7)), doneMessage(r)],
  );
  assertEquals(new NetlinkClient(fake).dump("list", list(), first), [7]);
});

Deno.test("answers to other requests are passed over", () => {
  const fake = new FakeNetlinkTransport((r) => [
    answerMessage({ sequence: 99 }, 16, entry(9)),
    datagram(answerMessage(r, 16, entry(1)), doneMessage({ ...r, sequence: 98 })),
    doneMessage(r),
  ]);
  assertEquals(new NetlinkClient(fake).dump("list", list(), first), [1]);
});

Deno.test("a flood of answers to other requests has an end", () => {
  const stray = answerMessage({ sequence: 99 }, 16, entry(9));
  const many = datagram(...Array.from({ length: 1000 }, () => stray));
  const fake = new FakeNetlinkTransport(() => Array.from({ length: 100 }, () => many));
  const error = assertThrows(() => new NetlinkClient(fake).execute("x", change()), NetlinkError);
  assertEquals(error.code, "EPROTO");
});

Deno.test("silence ends in a timeout that says so", () => {
  const error = assertThrows(
    () => new NetlinkClient(new FakeNetlinkTransport()).execute("set it", change()),
    NetlinkError,
  );
  assertEquals(error.message, "Cannot set it: the kernel did not answer in time (ETIMEDOUT)");
});

Deno.test("a reader's failure leaves no answer behind for the next request", () => {
  const fake = new FakeNetlinkTransport(
    (r) => [answerMessage(r, 16, entry(1)), doneMessage(r)],
    (r) => [ackMessage(r)],
  );
  const client = new NetlinkClient(fake);
  const failure = new Error("unreadable");
  const error = assertThrows(() =>
    client.dump("list", list(), () => {
      throw failure;
    })
  );
  assertStrictEquals(error, failure);
  client.execute("set it", change());
});

Deno.test("a failing send is reported in terms of what was attempted", () => {
  const fake = new FakeNetlinkTransport();
  fake.failNextSend(ENOBUFS);
  const error = assertThrows(() => new NetlinkClient(fake).execute("x", change()), NetlinkError);
  assertEquals([error.operation, error.code, error.retryable], ["x", "ENOBUFS", true]);
});

Deno.test("a query without an answer is an error", () => {
  const fake = new FakeNetlinkTransport((r) => [ackMessage(r)]);
  const error = assertThrows(
    () => new NetlinkClient(fake).query("find", change(), first),
    NetlinkError,
  );
  assertEquals(error.code, "ENODATA");
});

Deno.test("a request in the background finds its answer, whoever receives it", async (t) => {
  await t.step("received by itself", async () => {
    const fake = new FakeNetlinkTransport((r) => [ackMessage(r)]);
    await new NetlinkClient(fake).executeAsync("x", change());
  });
  await t.step("received by a request made meanwhile", async () => {
    const fake = new FakeNetlinkTransport(
      (r) => [ackMessage(r, EINVAL)],
      (r) => [ackMessage(r)],
    );
    const client = new NetlinkClient(fake);
    const background = client.executeAsync("slow", change());
    client.execute("quick", change());
    const error = await assertRejects(() => background, NetlinkError);
    assertEquals([error.operation, error.code], ["slow", "EINVAL"]);
  });
  await t.step("never sent", async () => {
    const fake = new FakeNetlinkTransport();
    fake.failNextSend(0);
    const error = await assertRejects(
      () => new NetlinkClient(fake).executeAsync("slow", change()),
      NetlinkError,
    );
    assertEquals(error.errno, EIO);
  });
});
