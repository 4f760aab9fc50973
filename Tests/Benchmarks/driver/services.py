"""The connector's executables, each alone in an environment of its own."""

import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import build
from .failure import Failure
from .processes import Server, free_port

NAMES = ["gateway", "catalog", "inventory", "sales", "post-sales"]
STORE_FILE = "inventory.sqlite"
HEALTHY_WITHIN_SECONDS = 20


class Service:
    """One executable, listening on a Unix socket; a context manager that ends it.

    Without a `database_url` it has a fresh store, under .build, where the bare loops have theirs too; it is removed at the end.
    """

    def __init__(self, program: Path, database_url: str | None = None):
        self._program = program
        # Sockets lie elsewhere: their path may have 107 bytes at most.
        self._sockets = Path(tempfile.mkdtemp(prefix="bench-"))
        self._data = None if database_url else Path(tempfile.mkdtemp(prefix="store-", dir=build.OUTPUT))
        self.target = f"unix:{self._sockets}/{program.name}.sock"
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "STATE_DIR": str(self._sockets),
            "LISTEN": self.target,
            "DATABASE_URL": database_url or f"sqlite:{self._data}",
        }
        if program.name == "gateway":
            self._environment["GATEWAY_INSECURE"] = "1"
            for name in ("GATEWAY_GRPC", "GATEWAY_HTTP", "GATEWAY_ADMIN"):
                self._environment[name] = f"127.0.0.1:{free_port()}"
        try:
            self.server = Server([str(program)], self.target, environment=self._environment)
        except BaseException:
            self._remove()
            raise
        try:
            self._wait_until_healthy()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self._remove()

    def _wait_until_healthy(self) -> None:
        end = time.monotonic() + HEALTHY_WITHIN_SECONDS
        while True:
            done = subprocess.run(
                [str(self._program), "--check"], env=self._environment, capture_output=True, text=True
            )
            if done.returncode == 0:
                return
            if time.monotonic() > end:
                said = (done.stdout + done.stderr).strip()
                raise Failure(f"{self._program.name} is not healthy after {HEALTHY_WITHIN_SECONDS} s: {said}")
            time.sleep(0.05)

    def _remove(self) -> None:
        shutil.rmtree(self._sockets, ignore_errors=True)
        if self._data:
            shutil.rmtree(self._data, ignore_errors=True)
