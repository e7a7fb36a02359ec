/** Error numbers of Linux, the same on every architecture that Deno supports (asm-generic/errno.h). */
const ERRORS: readonly (readonly [errno: number, code: string, text: string])[] = [
  [1, "EPERM", "operation not permitted"],
  [2, "ENOENT", "no such file or directory"],
  [3, "ESRCH", "no such process or route"],
  [4, "EINTR", "interrupted"],
  [5, "EIO", "input/output error"],
  [6, "ENXIO", "no such device or address"],
  [7, "E2BIG", "argument list too long"],
  [9, "EBADF", "bad file descriptor"],
  [10, "ECHILD", "no child processes"],
  [11, "EAGAIN", "temporarily unavailable"],
  [12, "ENOMEM", "out of memory"],
  [13, "EACCES", "permission denied"],
  [14, "EFAULT", "bad address"],
  [16, "EBUSY", "device or resource busy"],
  [17, "EEXIST", "exists already"],
  [18, "EXDEV", "cross-device link"],
  [19, "ENODEV", "no such device"],
  [20, "ENOTDIR", "not a directory"],
  [21, "EISDIR", "is a directory"],
  [22, "EINVAL", "invalid argument"],
  [23, "ENFILE", "too many open files in the system"],
  [24, "EMFILE", "too many open files"],
  [25, "ENOTTY", "inappropriate request for this descriptor"],
  [26, "ETXTBSY", "text file busy"],
  [27, "EFBIG", "file too large"],
  [28, "ENOSPC", "no space left on device"],
  [29, "ESPIPE", "illegal seek"],
  [30, "EROFS", "read-only file system"],
  [32, "EPIPE", "broken pipe"],
  [33, "EDOM", "argument out of domain"],
  [34, "ERANGE", "numerical result out of range"],
  [35, "EDEADLK", "deadlock avoided"],
  [36, "ENAMETOOLONG", "name too long"],
  [38, "ENOSYS", "function not implemented"],
  [40, "ELOOP", "too many symbolic links, or too many levels"],
  [61, "ENODATA", "no data available"],
  [71, "EPROTO", "protocol error"],
  [74, "EBADMSG", "bad message"],
  [75, "EOVERFLOW", "value too large"],
  [77, "EBADFD", "descriptor in bad state"],
  [90, "EMSGSIZE", "message too long"],
  [93, "EPROTONOSUPPORT", "protocol not supported"],
  [95, "EOPNOTSUPP", "operation not supported"],
  [97, "EAFNOSUPPORT", "address family not supported"],
  [98, "EADDRINUSE", "address in use already"],
  [99, "EADDRNOTAVAIL", "cannot assign requested address"],
  [100, "ENETDOWN", "network is down"],
  [101, "ENETUNREACH", "network is unreachable"],
  [104, "ECONNRESET", "connection reset"],
  [105, "ENOBUFS", "no buffer space available"],
  [107, "ENOTCONN", "not connected"],
  [110, "ETIMEDOUT", "timed out"],
  [111, "ECONNREFUSED", "connection refused"],
  [112, "EHOSTDOWN", "host is down"],
  [113, "EHOSTUNREACH", "no route to host"],
  [114, "EALREADY", "in progress already"],
  [115, "EINPROGRESS", "in progress"],
  [125, "ECANCELED", "cancelled"],
];

const BY_NUMBER: ReadonlyMap<number, readonly [code: string, text: string]> = new Map(
  ERRORS.map(([errno, code, text]) => [errno, [code, text]]),
);

export const ENOENT = 2;
export const EINTR = 4;
export const EIO = 5;
export const EAGAIN = 11;
export const EWOULDBLOCK = EAGAIN;
export const ENOMEM = 12;
export const EBUSY = 16;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENODATA = 61;
export const EPROTO = 71;
export const EBADMSG = 74;
export const EBADFD = 77;
export const EMSGSIZE = 90;
export const EOPNOTSUPP = 95;
export const EAFNOSUPPORT = 97;
export const ENOBUFS = 105;
export const ETIMEDOUT = 110;

/** The symbolic name of an error number, such as `ENOENT`; `E<number>` for one without a name here. */
export function errnoCode(errno: number): string {
  return BY_NUMBER.get(errno)?.[0] ?? `E${errno}`;
}

/** What an error number means, in words. */
export function errnoText(errno: number): string {
  return BY_NUMBER.get(errno)?.[1] ?? `error number ${errno}`;
}

/** Whether the same call may succeed when it is simply made again. */
export function isTransient(errno: number): boolean {
  return errno === EINTR || errno === EAGAIN || errno === EBUSY || errno === ENOMEM ||
    errno === ENOBUFS || errno === ETIMEDOUT;
}
