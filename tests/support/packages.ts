/** Debian packages that tests use, and the file by which each is recognised. */
const PACKAGES: Readonly<Record<string, string>> = {
  "busybox-static": "/bin/busybox",
  "containerd": "/usr/bin/containerd",
  "containernetworking-plugins": "/usr/lib/cni/bridge",
  "etcd-client": "/usr/bin/etcdctl",
  "etcd-server": "/usr/bin/etcd",
  "ethtool": "/usr/sbin/ethtool",
  "gcc": "/usr/bin/gcc",
  "iperf3": "/usr/bin/iperf3",
  "iproute2": "/usr/sbin/ip",
  "iptables": "/usr/sbin/iptables",
  "iputils-ping": "/usr/bin/ping",
  "libc6-dev": "/usr/include/net/if.h",
  "linux-libc-dev": "/usr/include/linux/if_tun.h",
  "nftables": "/usr/sbin/nft",
  "openssl": "/usr/bin/openssl",
  "runc": "/usr/sbin/runc",
  "strace": "/usr/bin/strace",
};

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The packages of {@link PACKAGES} that are not there. */
export function missingPackages(): string[] {
  return Object.entries(PACKAGES).filter(([, file]) => !exists(file)).map(([name]) => name);
}

/**
 * Installs what is missing where this is root on Debian, and says so; elsewhere says what is
 * missing, and the tests that need it are skipped.
 */
export async function installPackages(): Promise<void> {
  const missing = missingPackages();
  if (missing.length === 0) return;
  const list = missing.join(" ");
  if (Deno.uid() !== 0 || !exists("/etc/debian_version")) {
    console.log(`Tests that need these Debian packages will be skipped: ${list}`);
    return;
  }
  console.log(`Installing Debian packages for the tests: ${list}`);
  for (
    const args of [
      ["update", "-q"],
      ["install", "-q", "-y", "--no-install-recommends", ...missing],
    ]
  ) {
    const { code, stderr } = await new Deno.Command("apt-get", {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdout: "null",
      stderr: "piped",
      signal: AbortSignal.timeout(600_000),
    }).output();
    if (code !== 0) {
      console.log(`apt-get ${args[0]} failed: ${new TextDecoder().decode(stderr).trim()}`);
    }
  }
}
