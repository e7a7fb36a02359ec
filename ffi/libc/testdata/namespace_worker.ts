/** Told a namespace's path, answers with the inodes it sees in there and once back. */
import { Libc, NetNs } from "../mod.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<string>) => void) | null;
  postMessage(answer: { readonly inside: bigint; readonly after: bigint }): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data: path }): void => {
  using libc = Libc.open();
  const inode = (): bigint => {
    using here = NetNs.current(libc);
    return here.inode();
  };
  using target = NetNs.open(libc, path);
  scope.postMessage({ inside: target.run(inode), after: inode() });
};
