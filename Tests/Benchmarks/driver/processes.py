"""Processes under measurement: started on chosen cores, watched through /proc, ended for certain."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from .failure import Failure

START_LIMIT_SECONDS = 20
STOP_LIMIT_SECONDS = 15
RUN_LIMIT_SECONDS = 120


def cores() -> tuple[set[int], set[int]]:
    """The server's core and the load's cores: never the same, so that the load costs the server nothing."""
    available = sorted(os.sched_getaffinity(0))
    if len(available) < 2:
        raise Failure(f"this needs two cores, one for the server and one for the load; there is {len(available)}")
    return {available[-1]}, set(available[:-1])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_on(cores: set[int], command: list, limit_seconds: float = RUN_LIMIT_SECONDS) -> str:
    """Runs a program on these cores (any, when there are none) to its end and returns what it printed."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=limit_seconds, preexec_fn=_pin_to(cores)
        )
    except subprocess.TimeoutExpired:
        raise Failure(f"`{' '.join(words)}` is not through after {limit_seconds} s") from None
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip()[-2000:]
        raise Failure(f"`{' '.join(words)}` failed with exit code {done.returncode}: {said}")
    return done.stdout


def _pin_to(cores: set[int]) -> Callable[[], None] | None:
    return (lambda: os.sched_setaffinity(0, cores)) if cores else None


class Server:
    """A child process that listens; a context manager that ends it."""

    def __init__(
        self,
        command: list[str],
        address: str,
        cores: set[int] | None = None,
        environment: dict[str, str] | None = None,
        start_limit_seconds: float = START_LIMIT_SECONDS,
    ):
        """Returns when the server accepts a connection on `address`, HOST:PORT or unix:PATH.

        `environment` replaces this process's own.
        """
        self.name = Path(command[0]).name
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._errors,
            stderr=self._errors,
            env=environment,
            preexec_fn=_pin_to(cores or frozenset()),
        )
        try:
            self._wait_until_listening(address, start_limit_seconds)
        except BaseException:
            self.stop()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def cpu_ns(self) -> int:
        """CPU time of all threads so far, of those that have ended too, in nanoseconds."""
        # The clock of another process, as clock_getcpuclockid(3) makes it.
        return time.clock_gettime_ns((~self.pid << 3) | 2)

    def memory_kib(self, field: str) -> int:
        """A field of /proc/PID/status, such as VmRSS, RssAnon or VmHWM, in KiB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            key, _, value = line.partition(":")
            if key == field:
                return int(value.split()[0])
        raise Failure(f"/proc/{self.pid}/status of {self.name} has no {field}")

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal_number)
            try:
                self._process.wait(STOP_LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._errors.close()

    def kill(self) -> None:
        """Ends it as a crash does."""
        self.stop(signal.SIGKILL)

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _wait_until_listening(self, address: str, limit_seconds: float) -> None:
        end = time.monotonic() + limit_seconds
        while not _accepts(address):
            if self._process.poll() is not None:
                raise Failure(f"{self.name} ended with exit code {self._process.returncode}: {self._output()}")
            if time.monotonic() > end:
                raise Failure(f"{self.name} does not accept connections on {address} after {limit_seconds} s")
            time.sleep(0.02)

    def _output(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip()[-2000:]


def _accepts(address: str) -> bool:
    is_unix = address.startswith("unix:")
    with socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET) as probe:
        try:
            if is_unix:
                probe.connect(address.removeprefix("unix:"))
            else:
                host, _, port = address.rpartition(":")
                probe.connect((host, int(port)))
        except OSError:
            return False
    return True
