"""A connector on a store of its own whose processes can be killed and started again."""

import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from .. import build
from ..failure import Failure
from ..processes import Server, free_port
from .programs import SECRET

HEALTHY_WITHIN_SECONDS = 60
POLL_SECONDS = 0.01


class Site:
    """The folders and addresses of one connector; a context manager that ends its processes and removes all."""

    def __init__(self, programs: object, settings: dict[str, str] | None = None):
        """`programs` has the executable of each service that is started, by its name; `settings` are for all."""
        self._programs = programs
        self._settings = settings or {}
        # The stores lie where the bare program has its own; sockets elsewhere: their path may have 107 bytes at most.
        self._data = Path(tempfile.mkdtemp(prefix="link-", dir=build.OUTPUT))
        self._state = Path(tempfile.mkdtemp(prefix="bench-"))
        (self._state / "inventory").mkdir()
        self.callback = f"127.0.0.1:{free_port()}"
        self._addresses = {name: f"127.0.0.1:{free_port()}" for name in ("GATEWAY_GRPC", "GATEWAY_ADMIN")}
        self._running: dict[str, Server] = {}

    def __enter__(self) -> "Site":
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self._running):
            self.stop(name)
        shutil.rmtree(self._state, ignore_errors=True)
        shutil.rmtree(self._data, ignore_errors=True)

    # Processes

    @property
    def gateway(self) -> Server:
        return self.server("gateway")

    def server(self, name: str) -> Server:
        return self._running[name]

    def runs(self, name: str) -> bool:
        return name in self._running

    def target(self, name: str) -> str:
        """Where a service listens; inventory as the first of several replicas."""
        return f"unix:{self._state}/{'inventory/1' if name == 'inventory' else name}.sock"

    def start(self, name: str) -> None:
        """Starts a service and returns when its health probe says SERVING."""
        self.launch(name)
        program, environment = getattr(self._programs, name), self._environment(name)

        def serves() -> bool:
            return subprocess.run([str(program), "--check"], env=environment, capture_output=True).returncode == 0

        wait_until(serves, f"{name} is healthy", HEALTHY_WITHIN_SECONDS)

    def launch(self, name: str) -> None:
        """Starts a service and returns as soon as it listens."""
        command = [str(getattr(self._programs, name))]
        self._running[name] = Server(command, self.target(name), environment=self._environment(name))

    def stop(self, name: str) -> None:
        self._running.pop(name).stop()

    def kill(self, name: str) -> None:
        self._running.pop(name).kill()

    def _environment(self, name: str) -> dict[str, str]:
        return {
            "PATH": "/usr/bin:/bin",
            "STATE_DIR": str(self._state),
            "LISTEN": self.target(name),
            "DATABASE_URL": f"sqlite:{self._data}",
            "GATEWAY_INSECURE": "1",
            "GATEWAY_HTTP": self.callback,
            "OMS_SECRET": SECRET,
            **self._addresses,
            **self._settings,
        }

    # The journal

    def count(self, condition: str = "TRUE") -> int:
        return self.ask(f"SELECT count(*) FROM journal WHERE {condition}")[0]

    def has_pending(self) -> bool:
        query = "SELECT EXISTS (SELECT 1 FROM journal WHERE destination = 'inventory' AND status = 1)"
        return bool(self.ask(query)[0])

    def wait_until_drained(self, limit_seconds: float) -> None:
        wait_until(lambda: not self.has_pending(), "no message waits", limit_seconds, every_seconds=0.1)
        others = self.count("status <> 2")
        if others:
            raise Failure(f"{others} messages have not ended with SUCCESS; see the gateway's journal")

    def ask(self, query: str) -> tuple:
        """The first row of what the gateway's store answers."""
        with closing(sqlite3.connect(f"file:{self._data}/gateway.sqlite?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchone()


def wait_until(
    condition: Callable[[], bool], what: str, limit_seconds: float, every_seconds: float = POLL_SECONDS
) -> None:
    end = time.monotonic() + limit_seconds
    while not condition():
        if time.monotonic() > end:
            raise Failure(f"not so within {limit_seconds} s: {what}")
        time.sleep(every_seconds)
