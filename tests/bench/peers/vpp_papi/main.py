"""Measures requests of vpp_papi to a VPP over its API socket.

Commands come as lines on standard input, "one N"; each is answered by one line, the microseconds
that one request took. The first line of the output is "ready".

Usage: main.py SOCKET API_DIRECTORY
"""

import sys
import time
from pathlib import Path

from vpp_papi import VPPApiClient


def main(socket: str, api_directory: str) -> None:
    files = [str(path) for path in Path(api_directory).rglob("*.api.json")]
    client = VPPApiClient(apifiles=files, server_address=socket)
    client.connect("bench-papi")
    print("ready", flush=True)
    for line in sys.stdin:
        what, count = line.split()
        if what != "one":
            raise SystemExit(f"cannot measure {what}: wanted one")
        start = time.perf_counter()
        for _ in range(int(count)):
            client.api.control_ping()
        print((time.perf_counter() - start) * 1e6 / int(count), flush=True)
    client.disconnect()


if __name__ == "__main__":
    main(*sys.argv[1:])
