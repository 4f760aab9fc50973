"""An acknowledgement means durable, and stopping is graceful."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import grpc
from bus import STOCK, quantities
from load import Load, write_one_row
from grpc_reflection.v1alpha import reflection_pb2
from reflected import Reflected
from stack import Stack
from waiting import wait_until


class Durability(unittest.TestCase):
    def assert_all_there(self, stack, aggregate_id, done):
        with Reflected(stack.grpc) as client:
            held = wait_until(lambda: attempt(quantities, client, aggregate_id), "the store to be readable")
        lost = [sku for sku, quantity in done if held.get(sku) != quantity]
        self.assertEqual(lost, [], f"{len(lost)} of {len(done)} acknowledged writes are lost")

    def test_inventory_killed_during_writes_loses_no_acknowledged_one(self):
        with Stack(services=("inventory", "gateway")) as stack:
            with Load(stack.grpc, write_one_row("KILL")) as load:
                for _ in range(3):
                    load.wait_for(50)
                    stack.inventory.kill()
                    stack.inventory.start().wait_healthy()
                load.wait_for(50)
            self.assert_all_there(stack, "KILL", load.done)

    def test_graceful_stop_under_load_within_10_s_loses_no_acknowledged_write(self):
        with Stack(services=("inventory", "gateway")) as stack:
            with Load(stack.grpc, write_one_row("STOP")) as load:
                load.wait_for(100)
                for process in (stack.gateway, stack.inventory):
                    began = time.monotonic()
                    process.signal(signal.SIGTERM)
                    status = process.wait()
                    self.assertLess(time.monotonic() - began, 10, process.name)
                    self.assertEqual(status, 0, process.log()[-2000:])
            stack.start()
            self.assert_all_there(stack, "STOP", load.done)

    def test_stop_asked_for_twice_at_once_is_graceful_all_the_same(self):
        with Stack(services=("inventory", "gateway")) as stack:
            for process in (stack.gateway, stack.inventory):
                process.signal(signal.SIGTERM)
                process.signal(signal.SIGINT)
                self.assertEqual(process.wait(), 0, process.log()[-2000:])

    def test_stop_does_not_wait_for_a_client_that_leaves_its_stream_open(self):
        with Stack(services=("inventory", "gateway")) as stack, Reflected(stack.grpc) as client:
            released = threading.Event()
            self.addCleanup(released.set)
            sent = threading.Event()
            invoke, _ = client.stub(f"{STOCK}/StreamStockSnapshots")

            def requests():
                snapshot = {"aggregate_id": "OPEN", "mode": 2, "created_on": "2024-01-01T00:00:00Z",
                            "stock": [{"sku": "A", "quantity": 1}]}
                yield client.message("omsconnector.v1.StreamStockSnapshotsRequest", {"snapshot": snapshot})
                sent.set()
                released.wait(60)

            call = invoke.future(requests(), timeout=60)
            self.assertTrue(sent.wait(10))
            wait_until(lambda: quantities(client, "OPEN") == {"A": 1}, "the part to be durable before the stream has ended")
            for process in (stack.inventory, stack.gateway):
                process.signal(signal.SIGTERM)
            for process in (stack.inventory, stack.gateway):
                process.wait(12)
            self.assertIsInstance(call.exception(10), grpc.RpcError)

    def test_second_process_on_a_port_in_use_ends_with_a_clear_error(self):
        with Stack(services=("gateway",)) as stack:
            for setting, address in (("GATEWAY_GRPC", stack.grpc), ("GATEWAY_HTTP", stack.http), ("GATEWAY_ADMIN", stack.admin)):
                with self.subTest(setting), tempfile.TemporaryDirectory(dir="/tmp") as folder:
                    other = Stack(services=("gateway",), state_dir=folder)
                    process = other.gateway
                    process.environment[setting] = address
                    process.start()
                    self.addCleanup(process.kill)
                    self.assertEqual(process.wait(), 3, process.log())
                    self.assertIn(address, process.log())
                    self.assertIn(setting, process.log())
            self.assertTrue(stack.gateway.healthy())

    def test_full_disk_refuses_writes_clearly_and_loses_nothing(self):
        with small_disk(self, 4 << 20) as folder, Stack(services=("inventory", "gateway"), database_url=f"sqlite:{folder}") as stack:
            with Reflected(stack.grpc) as client:
                done, refusal = [], None
                for part in range(2000):
                    skus = [f"{part:04}-{n:03}-" + "x" * 100 for n in range(100)]
                    stock = [{"sku": sku, "quantity": part} for sku in skus]
                    snapshot = {"aggregate_id": "FULL", "mode": 2, "created_on": "2024-01-01T00:00:00Z", "stock": stock}
                    try:
                        client.call(f"{STOCK}/ApplyStockSnapshot", {"snapshot": snapshot})
                    except grpc.RpcError as error:
                        refusal = error
                        break
                    done += [(sku, part) for sku in skus]
                self.assertIsNotNone(refusal, "the disk never was full")
                self.assertIn(refusal.code(), (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE))
                self.assertRegex(refusal.details(), "(?i)full|space")
                self.assertTrue(stack.inventory.running, stack.inventory.log()[-2000:])
                self.assertTrue(done)
                self.assert_all_there(stack, "FULL", done)
                os.unlink(os.path.join(folder, "ballast"))
                snapshot = {"aggregate_id": "AFTER", "mode": 2, "created_on": "2024-01-01T00:00:00Z",
                            "stock": [{"sku": "A", "quantity": 1}]}
                wait_until(
                    lambda: attempt(client.call, f"{STOCK}/ApplyStockSnapshot", {"snapshot": snapshot}),
                    "writes to work again once there is room")
                self.assert_all_there(stack, "FULL", done)

    def test_client_that_stops_reading_grows_nothing_and_stops_nobody(self):
        with Stack(services=("inventory", "gateway")) as stack, Reflected(stack.grpc) as client, Reflected(stack.grpc) as other:
            other.services()
            before = resident_kib(stack.gateway.pid)
            asked = 0
            request = reflection_pb2.ServerReflectionRequest(file_by_filename="omsconnector/v1/stock.proto")

            def requests():
                nonlocal asked
                for _ in range(200_000):  # about 1 GB of answers
                    asked += 1
                    yield request

            invoke = client.channel.stream_stream(
                "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
                reflection_pb2.ServerReflectionRequest.SerializeToString,
                reflection_pb2.ServerReflectionResponse.FromString)
            call = invoke(requests(), timeout=120)
            last = [-1, 0.0]

            def stalled():
                if asked != last[0]:
                    last[:] = asked, time.monotonic()
                return asked > 0 and time.monotonic() - last[1] > 1

            wait_until(stalled, "flow control to hold the client back", timeout_s=60)
            self.assertLess(asked, 200_000, "the server took every request though nobody read its answers")
            self.assertLess(resident_kib(stack.gateway.pid) - before, 16 * 1024)
            self.assertTrue(other.services())
            call.cancel()


def attempt(function, *arguments):
    """Its result, or None when the server refuses."""
    try:
        return function(*arguments)
    except grpc.RpcError:
        return None


def resident_kib(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1])


class small_disk:
    """A folder on a file system of that size, with a file `ballast` that takes a part of it. Needs root."""

    def __init__(self, test, size):
        self._test, self._size = test, size
        self._folder = tempfile.mkdtemp(prefix="oms-disk-", dir="/tmp")

    def __enter__(self):
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={self._size}", "tmpfs", self._folder], capture_output=True, text=True)
        if mounted.returncode != 0:
            os.rmdir(self._folder)
            self._test.skipTest(f"no small file system can be mounted here: {mounted.stderr.strip()}")
        with open(os.path.join(self._folder, "ballast"), "wb") as ballast:
            ballast.write(b"\0" * (self._size // 2))
        return self._folder

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", self._folder], check=True)
        shutil.rmtree(self._folder, ignore_errors=True)


if __name__ == "__main__":
    unittest.main()
