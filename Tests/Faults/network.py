"""A network of its own for a process, which can be cut off from this machine's."""

import os
import subprocess


class Network:
    """A network namespace, joined to the machine's by a pair of devices. Processes in it reach Unix sockets as ever, and of this
    machine's addresses `gate` alone. Needs root, and iproute2.

        with Network(test) as network: Process(…, inside=network.inside)
    """

    def __init__(self, test):
        self._test = test
        self.name = f"oms-{os.getpid()}"
        self._device = f"oms{os.getpid()}"
        # Of the addresses for tests of networks (RFC 2544), four to a pair.
        block = os.getpid() % (1 << 15)
        self.gate = f"198.18.{block // 64 % 256}.{block % 64 * 4 + 1}"
        self._inner = f"198.18.{block // 64 % 256}.{block % 64 * 4 + 2}"

    @property
    def inside(self):
        """What a command begins with to be run in there."""
        return ["ip", "netns", "exec", self.name]

    def __enter__(self):
        if (refused := self._try("netns", "add", self.name)) is not None:
            self._test.skipTest(f"no network can be made here: {refused}")
        pair = ("link", "add", self._device, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        if (refused := self._try(*pair)) is not None:
            self._try("netns", "delete", self.name)
            self._test.skipTest(f"no network can be made here: {refused}")
        try:
            self._ip("address", "add", f"{self.gate}/30", "dev", self._device)
            self._ip("link", "set", self._device, "up")
            self._ip("-n", self.name, "address", "add", f"{self._inner}/30", "dev", "eth0")
            for device in ("lo", "eth0"):
                self._ip("-n", self.name, "link", "set", device, "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # The pair goes with the namespace, and that with its last process.
        self._try("link", "delete", self._device)
        self._try("netns", "delete", self.name)

    def cut(self):
        """From now on nothing comes through, and nobody is told."""
        self._ip("link", "set", self._device, "down")

    def mend(self):
        self._ip("link", "set", self._device, "up")

    def _ip(self, *arguments):
        if (refused := self._try(*arguments)) is not None:
            raise AssertionError(f"ip {' '.join(arguments)}: {refused}")

    def _try(self, *arguments):
        """Why it did not work; None when it did."""
        try:
            done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=30, check=False)
        except FileNotFoundError:
            return "iproute2 is missing"
        return done.stderr.strip() or f"status {done.returncode}" if done.returncode != 0 else None
