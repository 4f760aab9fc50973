"""What Prometheus reads, and how a trace is followed through the logs."""

import http.client
import json
import unittest

import grpc
from bus import STOCK, BusCase
from prometheus_client.parser import text_string_to_metric_families
from reflected import Reflected
from stack import Stack
from waiting import wait_until

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
GET = f"{STOCK}/GetStock"
APPLY = f"{STOCK}/ApplyStockSnapshot"


def scrape(address):
    """(content type, {family name: family}) as Prometheus's own parser sees them."""
    connection = http.client.HTTPConnection(address, timeout=10)
    try:
        connection.request("GET", "/metrics")
        response = connection.getresponse()
        if response.status != 200:
            raise AssertionError(f"/metrics answered {response.status}")
        families = list(text_string_to_metric_families(response.read().decode()))
    finally:
        connection.close()
    names = [family.name for family in families]
    if len(names) != len(set(names)):
        raise AssertionError(f"a metric comes twice: {sorted(names)}")
    return response.headers["Content-Type"], {family.name: family for family in families}


def value(families, name, sample=None, **labels):
    """The one sample of that name with these labels and no others but le; 0 when there is none."""
    found = [s.value for s in families[name].samples if s.name == (sample or name) and s.labels == labels]
    if len(found) > 1:
        raise AssertionError(f"{sample or name}{labels} comes {len(found)} times")
    return found[0] if found else 0


def series(family):
    """{labels: [(le, count)…]} of a histogram."""
    found = {}
    for sample in family.samples:
        if sample.name.endswith("_bucket"):
            labels = tuple(sorted((k, v) for k, v in sample.labels.items() if k != "le"))
            found.setdefault(labels, []).append((float(sample.labels["le"]), sample.value))
    return found


def log_lines(process):
    return [json.loads(line) for line in process.log().splitlines()]


def traced(process, trace=TRACE):
    return [line for line in log_lines(process) if line.get("fields", {}).get("trace_id") == trace]


class Metrics(BusCase):
    OPTIONS = {"log_level": "debug"}

    def call(self, method, request, code=None, **options):
        if code is None:
            return self.client.call(method, request, **options)
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.call(method, request, **options)
        self.assertEqual(raised.exception.code(), code)
        return None

    def get_stock(self, sku, code=None, **options):
        return self.call(GET, {"aggregate_id": "METRICS", "sku": sku}, code, **options)

    def test_calls_through_the_gateway_are_counted_by_method_and_status(self):
        self.stock("METRICS", "DELTA", [("A", 1)])
        kind, before = scrape(self.stack.admin)
        self.assertEqual(kind, "text/plain; version=0.0.4; charset=utf-8")
        for _ in range(3):
            self.get_stock("A")
        for _ in range(2):
            self.get_stock("NOTHING", grpc.StatusCode.NOT_FOUND)
        _, after = scrape(self.stack.admin)

        def grown(name, sample=None, **labels):
            return value(after, name, sample, **labels) - value(before, name, sample, **labels)

        self.assertEqual(grown("grpc_server_call_started", "grpc_server_call_started_total", grpc_method=GET), 5)
        duration = "grpc_server_call_duration_seconds"
        for status, count in (("OK", 3), ("NOT_FOUND", 2)):
            self.assertEqual(grown(duration, f"{duration}_count", grpc_method=GET, grpc_status=status), count)
            self.assertGreater(grown(duration, f"{duration}_sum", grpc_method=GET, grpc_status=status), 0)
        sent = "grpc_server_call_sent_total_compressed_message_size_bytes"
        self.assertGreater(grown(sent, f"{sent}_sum", grpc_method=GET, grpc_status="OK"), 0)
        self.assertEqual(grown(sent, f"{sent}_sum", grpc_method=GET, grpc_status="NOT_FOUND"), 0)
        target = f"unix-dir:{self.stack.state_dir}/inventory"
        attempts = "grpc_client_attempt_duration_seconds"
        calls = "grpc_client_call_duration_seconds"
        for name in (attempts, calls):
            labels = {"grpc_method": GET, "grpc_target": target, "grpc_status": "OK"}
            self.assertEqual(grown(name, f"{name}_count", **labels), 3)

    def test_every_histogram_adds_up(self):
        self.get_stock("NOTHING", grpc.StatusCode.NOT_FOUND)
        _, families = scrape(self.stack.admin)
        histograms = [family for family in families.values() if family.type == "histogram"]
        self.assertGreaterEqual(len(histograms), 8)
        for family in histograms:
            for labels, buckets in series(family).items():
                with self.subTest(family.name, labels=labels):
                    counts = [count for _, count in buckets]
                    self.assertEqual(buckets, sorted(buckets))
                    self.assertEqual(counts, sorted(counts))
                    self.assertEqual(buckets[-1][0], float("inf"))
                    self.assertEqual(counts[-1], value(families, family.name, f"{family.name}_count", **dict(labels)))

    def test_names_that_a_client_makes_up_are_one_method(self):
        for number in range(20):
            call = self.client.channel.unary_unary(f"/made.Up/M{number}")
            with self.assertRaises(grpc.RpcError):
                call(b"", timeout=10)
        _, families = scrape(self.stack.admin)
        started = families["grpc_server_call_started"].samples
        self.assertGreaterEqual(sum(s.value for s in started if s.labels == {"grpc_method": "other"}), 20)
        self.assertFalse([s for s in started if "made" in s.labels["grpc_method"]])

    def test_the_process_and_its_connections_are_measured(self):
        _, families = scrape(self.stack.admin)
        for name in ("process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds",
                     "omsconnector_server_connections"):
            self.assertGreater(value(families, name), 0, name)
        self.assertGreater(value(families, "process_cpu_seconds", "process_cpu_seconds_total"), 0)

    def test_trace_goes_from_the_client_through_the_gateway_into_the_logs(self):
        self.get_stock("NOTHING", grpc.StatusCode.NOT_FOUND, metadata=(("traceparent", PARENT),))
        for process in (self.stack.gateway, self.stack.inventory):
            with self.subTest(process.name):
                [line] = wait_until(lambda: traced(process), f"a line of the trace in the log of {process.name}")
                self.assertEqual(line["message"], "call failed")
                self.assertEqual((line["fields"]["method"], line["fields"]["status"]), (GET, "NOT_FOUND"))
                self.assertGreater(line["fields"]["duration_ms"], 0)

    def test_trace_of_a_message_is_one_from_the_callback_to_the_service(self):
        self.stock("TRACED", "DELTA", [("A", -5)])  # clamped, which the service warns about

        def warnings():
            return [line for line in log_lines(self.stack.inventory)
                    if line["message"].startswith("stock rows") and line["fields"]["aggregate_id"] == "TRACED"]

        [warning] = wait_until(warnings, "the warning about the row")
        consumed = [line for line in traced(self.stack.inventory, warning["fields"]["trace_id"]) if line["message"] == "call"]
        self.assertEqual([line["fields"]["method"] for line in consumed],
                         ["omsconnector.internal.v1.MessageConsumerService/Consume"])


class Replicas(unittest.TestCase):
    def test_services_are_measured_over_all_replicas_and_counters_never_go_back(self):
        def count(families):
            name = "omsconnector_endpoint_duration_seconds"
            return value(families, name, f"{name}_count", service="inventory", kind="grpc", endpoint=APPLY)

        def replicas(number):
            return lambda: value(scrape(stack.admin)[1], "omsconnector_replicas", service="inventory") == number

        with Stack(services=("inventory", "gateway"), replicas=2) as stack, Reflected(stack.grpc) as client:
            request = {"snapshot": {"aggregate_id": "A", "mode": "SNAPSHOT_MODE_DELTA",
                                    "created_on": "2024-02-03T04:05:06Z", "stock": [{"sku": "S", "quantity": 1}]}}
            for _ in range(6):
                client.call(APPLY, request)
            wait_until(lambda: count(scrape(stack.admin)[1]) == 6, "the calls of both replicas")
            wait_until(replicas(2), "both replicas to be seen")
            stack.processes["inventory-1"].kill()
            wait_until(replicas(1), "one replica to be missing")
            self.assertEqual(count(scrape(stack.admin)[1]), 6)
            stack.processes["inventory-1"].start().wait_healthy()
            wait_until(replicas(2), "the replica to be back")
            self.assertEqual(count(scrape(stack.admin)[1]), 6)
            for _ in range(4):
                client.call(APPLY, request)
            wait_until(lambda: count(scrape(stack.admin)[1]) == 10, "the new calls on top of the old ones")


if __name__ == "__main__":
    unittest.main()
