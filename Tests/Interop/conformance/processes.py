"""Peers as processes: their output is kept and shown when something is not in order."""

import os
import shutil
import subprocess
import tempfile

from waiting import wait_until

CASE_LIMIT_S = 120  # ends what hangs; a case takes a second on an idle machine
# The C core of Python's protobuf ends the process now and then when many threads read messages at once.
ENVIRONMENT = os.environ | {"PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"}
STOP_LIMIT_S = 10


class RunningServer:
    """A peer's server on an address of its own for as long as the block lasts."""

    def __init__(self, peer, transport):
        self.peer, self.transport_kind, self.process = peer, transport, None

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="interop-", dir="/tmp")  # a Unix socket's path must be short
        self.log_path = os.path.join(self.folder, "log")
        try:
            self.transport = self.transport_kind(self.folder)
            command = [*self.peer.command("server"), *self.transport.server_arguments]
            with open(self.log_path, "wb") as log:
                self.process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=ENVIRONMENT)
            self.address = wait_until(self._address, f"the {self.peer.name} server to listen")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _address(self):
        if not self.is_running:
            raise AssertionError(f"the {self.peer.name} server ended with {self.process.returncode}:\n{self.log()}")
        lines = [line for line in self.log().splitlines(keepends=True) if line.startswith("listening on ")]
        return lines[0].split()[-1] if lines and lines[0].endswith("\n") else None

    @property
    def is_running(self):
        return self.process.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-8000:]

    def __exit__(self, *_):
        if self.process is not None and self.is_running:
            self.process.terminate()
            try:
                self.process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def run_case(peer, server, case):
    """One case of `peer`'s client against a running server. AssertionError with both outputs when it fails."""
    command = [*peer.command("client"), *server.transport.client_arguments(server.address, case)]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=CASE_LIMIT_S,
            env=ENVIRONMENT)
        ended, output = f"ended with status {done.returncode}", done.stdout
        succeeded = done.returncode == 0
    except subprocess.TimeoutExpired as expired:
        ended, output, succeeded = f"was not through after {CASE_LIMIT_S} s", expired.stdout or b"", False
    if succeeded and server.is_running:
        return
    if not server.is_running:
        ended += f"; the server ended with status {server.process.returncode}"
    raise AssertionError(
        f"{' '.join(command)} {ended}\n--- the {peer.name} client:\n{output.decode(errors='replace')[-8000:]}\n"
        f"--- the {server.peer.name} server:\n{server.log()}")
