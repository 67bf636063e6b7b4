# SPDX-License-Identifier: Apache-2.0
"""``relight serve`` in its own process, for tests that talk to it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx


class Server:
    """``relight serve`` in its own process."""

    def __init__(self, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "relight_app", "serve", "--port", "0", *options],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stderr is not None
        line = self.process.stderr.readline()
        found = re.search(r"http://\S+?:\d+", line)
        assert found, line
        self.address = found[0]

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.address, timeout=120)

    def memory_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+) kB", status)
        assert found
        return int(found[1]) / 1024

    def stop(self) -> int:
        assert self.process.stderr is not None
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process.stderr.close()
        return status
