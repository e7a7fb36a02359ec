import { assertEquals, assertRejects, assertThrows } from "@contiv/assert";
import { withLibc } from "./_testing.ts";
import { EPOLLIN, EPOLLOUT } from "./constants/system.ts";
import { Epoll } from "./epoll.ts";
import { LibcError } from "./error.ts";
import { EventFd } from "./event_fd.ts";

Deno.test("signals add up until they are drained", () =>
  withLibc((libc) => {
    using event = EventFd.open(libc);
    assertEquals(event.drain(), 0n);
    event.signal();
    event.signal();
    assertEquals(event.drain(), 2n);
    assertEquals(event.drain(), 0n);
  }));

Deno.test("only ready descriptors are reported, with their tokens", () =>
  withLibc((libc) => {
    using epoll = Epoll.open(libc);
    using quiet = EventFd.open(libc);
    using first = EventFd.open(libc);
    using second = EventFd.open(libc);
    epoll.add(quiet.fd, EPOLLIN, 1);
    epoll.add(first.fd, EPOLLIN, 0xfffffffe);
    epoll.add(second.fd, EPOLLIN, 3);
    assertEquals([epoll.wait(0), epoll.count], [0, 0]);
    first.signal();
    second.signal();
    assertEquals([epoll.wait(0), epoll.count], [2, 2]);
    assertEquals([epoll.token(0), epoll.token(1)], [0xfffffffe, 3]);
    assertEquals([epoll.events(0), epoll.events(1)], [EPOLLIN, EPOLLIN]);

    epoll.modify(second.fd, EPOLLIN | EPOLLOUT, 4);
    epoll.remove(first.fd);
    assertEquals(epoll.wait(0), 1);
    assertEquals([epoll.token(0), epoll.events(0)], [4, EPOLLIN | EPOLLOUT]);
  }));

Deno.test("a wait on another thread sees what becomes ready meanwhile", () =>
  withLibc(async (libc) => {
    using epoll = Epoll.open(libc);
    using event = EventFd.open(libc);
    epoll.add(event.fd, EPOLLIN, 5);
    const wait = epoll.waitAsync(10_000);
    assertThrows(() => epoll.wait(0), TypeError);
    await assertRejects(() => epoll.waitAsync(0), TypeError);
    event.signal();
    assertEquals([await wait, epoll.token(0)], [1, 5]);
    assertEquals(await epoll.waitAsync(0), 1);
  }));

Deno.test("a wait ends early when it is woken or closed", () =>
  withLibc(async (libc) => {
    const epoll = Epoll.open(libc);
    using event = EventFd.open(libc);
    epoll.add(event.fd, EPOLLIN, 5);
    const woken = epoll.waitAsync(60_000);
    event.signal();
    epoll.wake();
    const count = await woken;
    if (count === 0) assertEquals(epoll.wait(0), 1);
    event.drain();
    epoll.wake();
    assertEquals(epoll.wait(60_000), 0);

    const closed = epoll.waitAsync(60_000);
    epoll.close();
    epoll.close();
    epoll.wake();
    assertEquals(await closed, 0);
    assertThrows(() => epoll.wait(0), TypeError);
  }));

Deno.test("more ready descriptors than one wait reports come with the next", () =>
  withLibc((libc) => {
    using epoll = Epoll.open(libc);
    const events = Array.from({ length: 300 }, () => EventFd.open(libc));
    for (const [i, event] of events.entries()) {
      epoll.add(event.fd, EPOLLIN, i);
      event.signal();
    }
    const seen = new Set<number>();
    for (let round = 0; round < 4 && seen.size < 300; round++) {
      for (let i = epoll.wait(0) - 1; i >= 0; i--) {
        const token = epoll.token(i);
        seen.add(token);
        events[token]?.drain();
      }
    }
    assertEquals(seen.size, 300);
    for (const event of events) event.close();
  }));

Deno.test("descriptors watched twice or not at all, and bad tokens, are refused", () =>
  withLibc((libc) => {
    using epoll = Epoll.open(libc);
    using event = EventFd.open(libc);
    const missing = assertThrows(() => epoll.remove(event.fd), LibcError);
    assertEquals(missing.code, "ENOENT");
    epoll.add(event.fd, EPOLLIN, 1);
    const twice = assertThrows(() => epoll.add(event.fd, EPOLLIN, 1), LibcError);
    assertEquals(twice.code, "EEXIST");
    for (const token of [-1, 0.5, 0xffffffff]) {
      assertThrows(() => epoll.modify(event.fd, EPOLLIN, token), RangeError);
    }
  }));
