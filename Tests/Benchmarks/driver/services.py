"""The connector's executables, each alone in an environment of its own."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from . import build
from .failure import Failure
from .processes import Server, free_port

NAMES = ["gateway", "catalog", "inventory", "sales", "post-sales"]
STORE_FILE = "inventory.sqlite"
CHECK_LIMIT_SECONDS = 20


class Service:
    """One executable with a fresh store, listening on a Unix socket; a context manager that ends it.

    The store lies under .build, where the bare loops have theirs too, and is removed at the end.
    """

    def __init__(self, program: Path):
        self._program = program
        # Sockets lie elsewhere: their path may have 107 bytes at most.
        self._sockets = Path(tempfile.mkdtemp(prefix="bench-"))
        self.data = Path(tempfile.mkdtemp(prefix="store-", dir=build.OUTPUT))
        self.target = f"unix:{self._sockets}/{program.name}.sock"
        self._environment = {
            "PATH": "/usr/bin:/bin",
            "STATE_DIR": str(self._sockets),
            "LISTEN": self.target,
            "DATABASE_URL": f"sqlite:{self.data}",
            "GATEWAY_INSECURE": "1",
            **{name: f"127.0.0.1:{free_port()}" for name in ("GATEWAY_GRPC", "GATEWAY_HTTP", "GATEWAY_ADMIN")},
        }
        try:
            self.server = Server([str(program)], self.target, environment=self._environment)
            self._check_health()
        except BaseException:
            self._remove()
            raise

    @property
    def store(self) -> Path:
        return self.data / STORE_FILE

    def __enter__(self) -> "Service":
        return self

    def __exit__(self, *_: object) -> None:
        self.server.stop()
        self._remove()

    def _check_health(self) -> None:
        done = subprocess.run(
            [str(self._program), "--check"],
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=CHECK_LIMIT_SECONDS,
        )
        if done.returncode != 0:
            self.server.stop()
            raise Failure(f"`{self._program.name} --check` failed with exit code {done.returncode}: {done.stderr}")

    def _remove(self) -> None:
        shutil.rmtree(self._sockets, ignore_errors=True)
        shutil.rmtree(self.data, ignore_errors=True)
