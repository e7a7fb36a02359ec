/**
 * Constants of files, namespaces, mounts, event descriptors and limits, by their C names.
 * Sources: fcntl.h, sched.h, sys/mount.h, sys/epoll.h, sys/eventfd.h, sys/file.h, sys/resource.h,
 * linux/nsfs.h, linux/stat.h.
 *
 * @module
 */
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

export const CLONE_NEWNET = 0x40000000;
/** ioctl of a namespace descriptor: which kind of namespace it is. */
export const NS_GET_NSTYPE = 0xb703;

export const MS_BIND = 4096;
export const MS_REC = 16384;
export const MS_SHARED = 1 << 20;
export const MNT_DETACH = 2;

export const AT_FDCWD = -100;
export const AT_EMPTY_PATH = 0x1000;
export const STATX_INO = 0x100;

export const EPOLL_CLOEXEC = O_CLOEXEC;
export const EPOLL_CTL_ADD = 1;
export const EPOLL_CTL_DEL = 2;
export const EPOLL_CTL_MOD = 3;
export const EPOLLIN = 1;
export const EPOLLOUT = 4;
export const EPOLLERR = 8;
export const EPOLLHUP = 0x10;

export const EFD_CLOEXEC = O_CLOEXEC;
export const EFD_NONBLOCK = O_NONBLOCK;

export const LOCK_EX = 2;
export const LOCK_NB = 4;

export const RLIMIT_NOFILE = 7;
