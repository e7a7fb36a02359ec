/** Opens one handle of each kind, closes them if asked to, and comes to its end. */
import { Epoll, EPOLLIN, EventFd, Libc, NetNs, RtNetlink } from "../mod.ts";

const mode = Deno.args[0];
const libc = Libc.open();
const handles: Disposable[] = [];
const event = EventFd.open(libc);
const epoll = Epoll.open(libc);
epoll.add(event.fd, EPOLLIN, 1);
handles.push(epoll, event, NetNs.current(libc), RtNetlink.open(libc));
event.signal();
await epoll.waitAsync(1000);
const wait = epoll.waitAsync(mode === "closed" ? 60_000 : 10);
if (mode === "closed") {
  event.drain();
  for (const handle of handles) handle[Symbol.dispose]();
  await wait;
  libc.close();
}
console.log(`done ${mode}`);
