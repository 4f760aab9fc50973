"""A stack of real processes with a state folder and ports of its own."""

import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile

from waiting import wait_until

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BIN = os.path.join(ROOT, ".build", "release")
SERVICES = ("inventory", "catalog", "sales", "post-sales", "gateway")
GRACE_S = 15  # a service stops within 10 s; the rest is for a busy machine


# Below the ports that the kernel gives to outgoing connections: one of those could take a port between our looking and
# the service's listening.
_LISTENING_PORTS = range(20_000, 32_000)
_ports = itertools.cycle(random.sample(_LISTENING_PORTS, len(_LISTENING_PORTS)))


def free_address():
    """A loopback address that nothing listens on now, and that this process has not given out lately."""
    for port in itertools.islice(_ports, len(_LISTENING_PORTS)):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return f"127.0.0.1:{port}"
    raise AssertionError(f"no free port from {_LISTENING_PORTS.start} to {_LISTENING_PORTS.stop}")


def clean_environment():
    """The caller's environment without what would configure a service."""
    prefixes = ("OMS_", "GATEWAY_", "DATABASE_", "CONNECTOR_", "COMMERCE_", "CATALOG_", "INVENTORY_", "SALES_", "POST_SALES_", "TLS_", "OMSCTL_", "LISTEN", "STATE_DIR")
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


class Process:
    """One executable. Its output goes to a file, which a test can read."""

    def __init__(self, name, environment, log, arguments=(), inside=()):
        """`inside`: a command that becomes the one behind it, elsewhere, e.g. in a network of its own."""
        self.name, self.environment, self.log_path = name, environment, log
        self.executable = os.path.join(BIN, name)
        self.command = [*inside, self.executable, *arguments]
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command, env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        return self

    @property
    def pid(self):
        return self.process.pid

    @property
    def running(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()

    def healthy(self):
        """What the executable's own probe says."""
        if not self.running:
            raise AssertionError(f"{self.name} ended with status {self.process.poll()}:\n{self.log()[-4000:]}")
        probe = subprocess.run([self.executable, "--check"], env=self.environment, capture_output=True, timeout=30)
        return probe.returncode == 0

    def wait_healthy(self):
        wait_until(self.healthy, f"{self.name} to be healthy; its log:\n{self.log()[-4000:]}", every_s=0.05)
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, timeout_s=GRACE_S):
        """Its exit status; negative for the signal that ended it."""
        return self.process.wait(timeout_s)

    def stop(self):
        """TERM, and the exit status. A service that does not stop is killed, and that is an error."""
        if self.running:
            self.signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.name} has not stopped within {GRACE_S} s:\n{self.log()[-4000:]}") from None

    def kill(self):
        if self.process is not None:
            if self.running:
                self.process.kill()
            self.process.wait()


class Stack:
    """The services as compose/up starts them, each on its own.

        with Stack(oms_url=oms.url) as stack: …
    """

    def __init__(self, services=SERVICES, replicas=1, state_dir=None, **settings):
        # Not under the project: a Unix socket's path must be short.
        self._own = state_dir is None
        self.state_dir = state_dir or tempfile.mkdtemp(prefix="oms-", dir="/tmp")
        ports = self.free_ports()
        self.grpc, self.http, self.admin = ports["GATEWAY_GRPC"], ports["GATEWAY_HTTP"], ports["GATEWAY_ADMIN"]
        self.settings = {name.upper(): value for name, value in settings.items()}
        self.processes = {}
        for folder in ("inventory", "data", "log"):
            os.makedirs(os.path.join(self.state_dir, folder), exist_ok=True)
        for service in services:
            if service == "inventory":
                for n in range(1, replicas + 1):
                    self._add(f"inventory-{n}", service, f"inventory/{n}.sock")
            else:
                self._add(service, service, f"{service}.sock")

    @staticmethod
    def free_ports():
        return {name: free_address() for name in ("GATEWAY_GRPC", "GATEWAY_HTTP", "GATEWAY_ADMIN")}

    def _add(self, name, executable, listen, inside=(), **settings):
        log = os.path.join(self.state_dir, "log", f"{name}.log")
        environment = self.environment(listen) | {setting.upper(): value for setting, value in settings.items()}
        self.processes[name] = Process(executable, environment, log, inside=inside)
        return self.processes[name]

    @property
    def replicas(self):
        """The names of those of inventory."""
        return [name for name in self.processes if name.startswith("inventory-")]

    def add_replica(self, inside=(), **settings):
        """One more of inventory, started. `settings`: those that it has otherwise than the others."""
        number = len(self.replicas) + 1
        return self._add(f"inventory-{number}", "inventory", f"inventory/{number}.sock", inside, **settings).start()

    def scale(self, count):
        """So many replicas of inventory, the last ones new or stopped in order; returns when they are healthy."""
        added = [self.add_replica() for _ in range(len(self.replicas), count)]
        for process in added:
            process.wait_healthy()
        removed = [self.processes.pop(name) for name in self.replicas[count:]]
        for process in removed:
            process.signal(signal.SIGTERM)
        for process in removed:
            status = process.stop()
            assert status == 0, f"{process.name} ended with status {status}:\n{process.log()[-4000:]}"

    def environment(self, listen):
        def unix(name):
            return f"unix:{self.state_dir}/{name}"

        return {
            **clean_environment(),
            "LISTEN": unix(listen),
            "GATEWAY_GRPC": self.grpc,
            "GATEWAY_HTTP": self.http,
            "GATEWAY_ADMIN": self.admin,
            "GATEWAY_INSECURE": "1",
            "GATEWAY_TARGET": unix("gateway.sock"),
            "CATALOG_TARGET": unix("catalog.sock"),
            "INVENTORY_TARGET": f"unix-dir:{self.state_dir}/inventory",
            "SALES_TARGET": unix("sales.sock"),
            "POST_SALES_TARGET": unix("post-sales.sock"),
            "DATABASE_URL": f"sqlite:{self.state_dir}/data",
            "CONNECTOR_CALLBACK_URL": self.callback,
            **self.settings,
        }

    @property
    def callback(self):
        return f"http://{self.http}/service-bus"

    @property
    def gateway(self):
        return self.processes["gateway"]

    @property
    def inventory(self):
        return self.processes["inventory-1"]

    def socket(self, name):
        """The gRPC target of a process, for grpcio."""
        folder = "inventory/" + name.removeprefix("inventory-") if name.startswith("inventory-") else name
        return f"unix:{self.state_dir}/{folder}.sock"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            if process.running:
                process.signal(signal.SIGTERM)
        try:
            for process in self.processes.values():
                if process.process is not None:
                    process.stop()
        finally:
            for process in self.processes.values():
                process.kill()
            if self._own:
                shutil.rmtree(self.state_dir, ignore_errors=True)

    def start(self):
        for process in self.processes.values():
            process.start()
        for process in self.processes.values():
            process.wait_healthy()
        return self

    def omsctl(self, *arguments, settings=None, **run):
        """The finished process, its output as text."""
        environment = {**clean_environment(), "OMSCTL_GATEWAY": f"unix:{self.state_dir}/gateway.sock", **(settings or {})}
        return subprocess.run(
            [os.path.join(BIN, "omsctl"), *arguments], env=environment, capture_output=True, text=True, timeout=60, **run)
