"""Stores that can't be written to for a time: a full disk, a locked database."""

import os
import shutil
import sqlite3
import subprocess
import tempfile
import unittest

from lab import LabCase
from oms_simulator import Manner
from traffic import Chains, Incoming, by_enqueue
from waiting import wait_until

MIB = 1 << 20


class Stores(LabCase):
    def test_full_disk_refuses_and_loses_nothing(self):
        with small_disk(self, 96 * MIB) as folder, self.lab(database_url=f"sqlite:{folder}/data") as lab:
            source = Chains("FULL", 4)
            lab.aggregates = source.aggregates
            with Incoming(lab.sender, [source], lab.seed, ahead=8), by_enqueue(lab) as requests:
                lab.sender.wait_for(50, 30)
                requests.wait_for(20)
                fill(folder)
                wait_until(lambda: lab.sender.put_off, "callbacks to be refused", 60)
                os.unlink(os.path.join(folder, "ballast"))
                # A service with a full disk is asked again every few seconds.
                lab.sender.wait_for(lab.sender.done + 50, 30)
                requests.wait_for(20)
            lab.assert_in_order()

    def test_locked_database_holds_up_and_loses_nothing(self):
        """Another process, such as a backup, holds the write lock: longer than anybody waits for it."""
        for store in ("gateway", "inventory"):
            with self.subTest(store), self.lab(manner=Manner(timeout_s=30)) as lab:
                source = Chains("LOCKED", 4)
                lab.aggregates = source.aggregates
                with Incoming(lab.sender, [source], lab.seed, ahead=8):
                    lab.sender.wait_for(50, 30)
                    lock = sqlite3.connect(f"{lab.stack.state_dir}/data/{store}.sqlite", timeout=30, isolation_level=None)
                    lock.execute("BEGIN IMMEDIATE")
                    # The gateway tells the OMS to come back; inventory tells the gateway.
                    wait_until(lambda: lab.sender.put_off if store == "gateway" else "locked" in lab.stack.inventory.log(),
                               "messages to be refused or to fail", 60)
                    lock.rollback()
                    lock.close()
                    lab.sender.wait_for(lab.sender.done + 50, 60)
                lab.assert_in_order()


class small_disk:
    """A folder on a file system of that size. Needs root."""

    def __init__(self, test, size):
        self._test, self._size = test, size
        self._folder = tempfile.mkdtemp(prefix="oms-disk-", dir="/tmp")

    def __enter__(self):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs", self._folder], capture_output=True, text=True)
        if mounted.returncode != 0:
            os.rmdir(self._folder)
            self._test.skipTest(f"no small file system can be mounted here: {mounted.stderr.strip()}")
        return self._folder

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self._folder], check=True)
        shutil.rmtree(self._folder, ignore_errors=True)


def fill(folder):
    """Takes what is left of the disk."""
    with open(os.path.join(folder, "ballast"), "wb", buffering=0) as ballast:
        for size in (MIB, 4096):
            try:
                while True:
                    ballast.write(b"\0" * size)
            except OSError:
                pass  # it is full, for writes of that size


if __name__ == "__main__":
    unittest.main()
