"""A gRPC client that nobody here wrote, grpcio, against the real executables."""

import threading
import unittest

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from reflected import Reflected, channel
from stack import SERVICES as ALL_PROCESSES
from stack import Stack

STOCK = "omsconnector.v1.InventoryService"
STANDARD = {
    "grpc.health.v1.Health": {"Check"},
    "grpc.reflection.v1.ServerReflection": {"ServerReflectionInfo"},
    "grpc.reflection.v1alpha.ServerReflection": {"ServerReflectionInfo"},
}
INVENTORY = {STOCK: {"ApplyStockSnapshot", "StreamStockSnapshots", "GetStock", "ListStock"}}
GATEWAY = {
    "omsconnector.v1.GatewayService": {"Register", "Unregister", "Disable", "Enable", "GetRegistration"},
    "omsconnector.v1.ReportService": {"GetTimingReport"},
}


def snapshot(aggregate_id, rows, mode="SNAPSHOT_MODE_FULL", created_on="2023-11-14T22:13:20Z"):
    stock = [{"sku": sku, "quantity": quantity} for sku, quantity in rows]
    return {"snapshot": {"aggregate_id": aggregate_id, "mode": mode, "created_on": created_on, "stock": stock}}


class Calls:
    """What holds of a service's own socket and of the gateway in front of it. Each test has its own aggregate."""

    SERVICES = {}  # service → its methods
    PROCESSES = ()
    HIDDEN = ()

    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(Stack(services=cls.PROCESSES))
        cls.client = cls.enterClassContext(Reflected(cls.target()))

    def refused(self, code, method, request, **options):
        with self.assertRaises(grpc.RpcError) as caught:
            self.client.call(method, request, **options)
        self.assertEqual(caught.exception.code(), code, caught.exception.details())
        return caught.exception.details()

    # Reflection and health

    def test_reflection_lists_and_describes_every_public_service(self):
        self.assertLessEqual(set(self.SERVICES), set(self.client.services()))
        for service, methods in self.SERVICES.items():
            with self.subTest(service):
                self.assertLessEqual(methods, set(self.client.service(service).methods_by_name))

    def test_both_versions_of_reflection_answer_alike(self):
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=STOCK)
        answers = []
        for version in ("v1", "v1alpha"):
            invoke = self.client.channel.stream_stream(
                f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
                reflection_pb2.ServerReflectionRequest.SerializeToString,
                reflection_pb2.ServerReflectionResponse.FromString)
            answers.append(next(invoke(iter([request]), timeout=10)))
        self.assertEqual(answers[0], answers[1])
        self.assertTrue(answers[0].file_descriptor_response.file_descriptor_proto)

    def test_reflection_says_which_calls_are_idempotent(self):
        from google.protobuf import descriptor_pb2

        options = descriptor_pb2.MethodOptions
        level = self.client.method(f"{STOCK}/GetStock").GetOptions().idempotency_level
        self.assertEqual(level, options.NO_SIDE_EFFECTS)
        level = self.client.method(f"{STOCK}/ApplyStockSnapshot").GetOptions().idempotency_level
        self.assertEqual(level, options.IDEMPOTENT)

    def test_unknown_symbol_is_not_found_by_reflection(self):
        with self.assertRaises(KeyError):
            self.client.service("omsconnector.v1.NoSuchService")

    def test_health_of_the_server_and_of_each_service(self):
        stub = health_pb2_grpc.HealthStub(self.client.channel)
        for service in ("", STOCK):
            with self.subTest(service):
                answer = stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
                self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)
        with self.assertRaises(grpc.RpcError) as caught:
            stub.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=10)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    # Calls

    def test_unary_call_writes_and_another_reads_it_back(self):
        applied = self.client.call(f"{STOCK}/ApplyStockSnapshot", snapshot("UNARY", [("A", 3), ("Ä €", -2)]))
        self.assertEqual((applied["applied"], applied["clamped"]), (1, 1))
        self.assertEqual(applied["clamped_rows"][0]["sku"], "Ä €")
        stock = self.client.call(f"{STOCK}/GetStock", {"aggregate_id": "UNARY", "sku": "A"})["stock"]
        self.assertEqual(stock, {
            "sku": "A", "aggregate_id": "UNARY", "quantity": 3, "created_on": "2023-11-14T22:13:20Z"})
        stock = self.client.call(f"{STOCK}/GetStock", {"aggregate_id": "UNARY", "sku": "Ä €"})["stock"]
        self.assertEqual(stock.get("quantity", 0), 0)

    def test_client_streaming_call_takes_many_parts(self):
        parts = (snapshot("STREAM", [(f"S{part:02}-{n:03}", n) for n in range(500)]) for part in range(20))
        answer = self.client.call(f"{STOCK}/StreamStockSnapshots", parts)
        self.assertEqual((answer["applied"], answer["snapshots"]), (10_000, 20))
        seen, token = [], ""
        while True:
            request = {"aggregate_id": "STREAM", "page_size": 1000, "page_token": token}
            page = self.client.call(f"{STOCK}/ListStock", request)
            seen += [stock["sku"] for stock in page["stock"]]
            token = page.get("next_page_token")
            if not token:
                break
        self.assertEqual(seen, [f"S{part:02}-{n:03}" for part in range(20) for n in range(500)])

    def test_bidirectional_call_answers_while_the_client_still_sends(self):
        first_answered = threading.Event()

        def requests():
            yield reflection_pb2.ServerReflectionRequest(list_services="")
            assert first_answered.wait(10)
            yield reflection_pb2.ServerReflectionRequest(file_by_filename="omsconnector/v1/stock.proto")

        invoke = self.client.channel.stream_stream(
            "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
            reflection_pb2.ServerReflectionRequest.SerializeToString,
            reflection_pb2.ServerReflectionResponse.FromString)
        answers = invoke(requests(), timeout=20)
        self.assertTrue(next(answers).list_services_response.service)
        first_answered.set()
        self.assertTrue(next(answers).file_descriptor_response.file_descriptor_proto)
        self.assertEqual(list(answers), [])

    def test_every_unary_call_is_answered(self):
        for method, request in [
            (f"{STOCK}/ApplyStockSnapshot", snapshot("EVERY", [("A", 1)])),
            (f"{STOCK}/GetStock", {"aggregate_id": "EVERY", "sku": "A"}),
            (f"{STOCK}/ListStock", {"aggregate_id": "EVERY"}),
        ]:
            with self.subTest(method):
                self.client.call(method, request)

    def test_many_calls_at_once_on_one_connection(self):
        invoke, request = self.client.stub(f"{STOCK}/ApplyStockSnapshot")
        calls = [
            invoke.future(self.client.message(
                "omsconnector.v1.ApplyStockSnapshotRequest", snapshot("MANY", [(f"S{n}", n)])), timeout=60)
            for n in range(500)
        ]
        self.assertEqual(sum(call.result().applied for call in calls), 500)

    # Statuses

    def test_status_and_message_of_a_refusal_arrive_whole(self):
        details = self.refused(
            grpc.StatusCode.NOT_FOUND, f"{STOCK}/GetStock", {"aggregate_id": "Größe 100 % ✓", "sku": "Übergröße\n2"})
        self.assertIn("Größe 100 % ✓", details)
        self.assertIn("Übergröße", details)

    def test_bad_arguments_are_named(self):
        row = [("A", 1)]
        for request, words in [
            (snapshot("", row), ["aggregate_id"]),
            (snapshot("BAD", row, mode="SNAPSHOT_MODE_UNSPECIFIED"), ["BAD", "mode"]),
            ({"snapshot": {"aggregate_id": "BAD", "mode": 1, "stock": [{"sku": "A", "quantity": 1}]}}, ["BAD", "created_on"]),
            ({"snapshot": {"aggregate_id": "BAD", "mode": 77, "created_on": "2023-11-14T22:13:20Z"}}, ["BAD", "77"]),
            (snapshot("BAD", [(f"S{n}", n) for n in range(10_001)]), ["BAD", "10001"]),
            ({}, ["snapshot"]),
        ]:
            with self.subTest(words):
                details = self.refused(grpc.StatusCode.INVALID_ARGUMENT, f"{STOCK}/ApplyStockSnapshot", request)
                for word in words:
                    self.assertIn(word, details.replace("10 001", "10001"))
        self.refused(grpc.StatusCode.NOT_FOUND, f"{STOCK}/GetStock", {"aggregate_id": "BAD", "sku": "A"})

    def test_bad_rows_never_sink_the_good_ones(self):
        stock = [{"sku": "GOOD", "quantity": 4}, {"sku": "", "quantity": 1}, {"sku": "NONE"}, {"sku": "LOW", "quantity": -7}]
        request = snapshot("ROWS", [])
        request["snapshot"]["stock"] = stock
        answer = self.client.call(f"{STOCK}/ApplyStockSnapshot", request)
        self.assertEqual((answer["applied"], answer["clamped"], answer["invalid"]), (1, 1, 2))
        self.assertEqual([row.get("row", 0) for row in answer["invalid_rows"]], [1, 2])
        self.assertIn("quantity", answer["invalid_rows"][1]["reason"])

    def test_unknown_methods_and_services_are_unimplemented(self):
        for path in (f"/{STOCK}/NoSuchMethod", "/no.such.Service/Get", *self.HIDDEN):
            with self.subTest(path):
                invoke = self.client.channel.unary_unary(path, lambda m: m, lambda b: b)
                with self.assertRaises(grpc.RpcError) as caught:
                    invoke(b"", timeout=10)
                self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_message_that_is_no_protobuf_is_refused(self):
        invoke = self.client.channel.unary_unary(f"/{STOCK}/GetStock", lambda m: m, lambda b: b)
        for body in (b"\xff\xff\xff", b"\x0a\x02\xc3\x28", b"\x0a\x03A\x00B"):  # no field, no UTF-8, a NUL in a text
            with self.subTest(body):
                with self.assertRaises(grpc.RpcError) as caught:
                    invoke(body, timeout=10)
                self.assertIn(caught.exception.code(), (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL))
        self.assertTrue(self.client.services())

    def test_deep_nesting_is_refused_and_stops_nothing(self):
        body = b"\x7b" * 10_000 + b"\x7c" * 10_000  # groups of an unknown field, one inside the other
        invoke = self.client.channel.unary_unary(f"/{STOCK}/GetStock", lambda m: m, lambda b: b)
        with self.assertRaises(grpc.RpcError) as caught:
            invoke(body, timeout=10)
        self.assertIn(caught.exception.code(), (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL))
        self.client.call(f"{STOCK}/ListStock", {"aggregate_id": "ALIVE"})

    def test_message_of_5_mib_is_resource_exhausted_and_4_mb_is_not(self):
        self.refused(
            grpc.StatusCode.RESOURCE_EXHAUSTED, f"{STOCK}/GetStock", {"aggregate_id": "A" * (5 << 20), "sku": "B"})
        # Under the limit, so that the service sees it – and finds it too long for an id.
        self.refused(
            grpc.StatusCode.INVALID_ARGUMENT, f"{STOCK}/ApplyStockSnapshot", snapshot("A" * 4_000_000, [("B", 1)]))

    # Deadlines, cancellation, metadata

    def test_deadline_ends_a_stream_that_the_client_leaves_open(self):
        invoke, kind = self.client.stub(f"{STOCK}/StreamStockSnapshots")
        released = threading.Event()
        self.addCleanup(released.set)

        def requests():
            yield self.client.message("omsconnector.v1.StreamStockSnapshotsRequest", snapshot("OPEN", [("A", 1)]))
            released.wait(30)

        with self.assertRaises(grpc.RpcError) as caught:
            invoke(requests(), timeout=0.5)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.client.call(f"{STOCK}/ListStock", {"aggregate_id": "OPEN"})

    def test_cancelled_call_ends_and_the_connection_goes_on(self):
        invoke, kind = self.client.stub(f"{STOCK}/StreamStockSnapshots")
        released = threading.Event()
        self.addCleanup(released.set)

        def requests():
            yield self.client.message("omsconnector.v1.StreamStockSnapshotsRequest", snapshot("CANCEL", [("A", 1)]))
            released.wait(30)

        call = invoke.future(requests(), timeout=30)
        call.cancel()
        self.assertTrue(call.cancelled())
        self.client.call(f"{STOCK}/ListStock", {"aggregate_id": "CANCEL"})

    def test_metadata_of_the_client_is_taken_and_the_answer_has_grpc_metadata(self):
        invoke, request = self.client.stub(f"{STOCK}/ListStock")
        message = self.client.message("omsconnector.v1.ListStockRequest", {"aggregate_id": "META"})
        metadata = (("x-request-id", "7"), ("x-trace-bin", bytes(range(256))))
        answer, call = invoke.with_call(message, timeout=10, metadata=metadata)
        self.assertEqual(call.code(), grpc.StatusCode.OK)

    def test_compressed_request_is_refused_or_taken_but_never_misread(self):
        invoke, request = self.client.stub(f"{STOCK}/ListStock")
        message = self.client.message("omsconnector.v1.ListStockRequest", {"aggregate_id": "GZIP" * 1000})
        try:
            invoke(message, timeout=10, compression=grpc.Compression.Gzip)
        except grpc.RpcError as error:
            self.assertIn(error.code(), (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INVALID_ARGUMENT))

class DirectlyToInventory(Calls, unittest.TestCase):
    SERVICES = {**STANDARD, **INVENTORY}
    PROCESSES = ("inventory",)

    @classmethod
    def target(cls):
        return cls.stack.socket("inventory-1")


class OverGateway(Calls, unittest.TestCase):
    SERVICES = {**STANDARD, **INVENTORY, **GATEWAY}
    PROCESSES = ALL_PROCESSES
    HIDDEN = (
        "/omsconnector.internal.v1.MessageConsumerService/Consume", "/omsconnector.internal.v1.TimingService/GetTimings")

    @classmethod
    def target(cls):
        return cls.stack.grpc

    def test_the_gateways_own_services_answer(self):
        registration = self.client.call("omsconnector.v1.GatewayService/GetRegistration")["registration"]
        self.assertEqual(registration["state"], "REGISTRATION_STATE_UNCONFIGURED")
        self.assertIn("endpoints", self.client.call("omsconnector.v1.ReportService/GetTimingReport"))

    def test_reflection_lists_nothing_internal(self):
        self.assertEqual([s for s in self.client.services() if ".internal." in s], [])

    def test_report_counts_the_calls(self):
        def count():
            report = self.client.call("omsconnector.v1.ReportService/GetTimingReport", {"kind": "ENDPOINT_KIND_GRPC_METHOD"})
            found = [e for e in report["endpoints"] if e["endpoint"] == f"{STOCK}/GetStock" and e["service"] == "inventory"]
            return (found[0]["count"], found[0].get("failures", 0)) if found else (0, 0)

        before = count()
        self.client.call(f"{STOCK}/ApplyStockSnapshot", snapshot("REPORT", [("A", 1)]))
        for _ in range(3):
            self.client.call(f"{STOCK}/GetStock", {"aggregate_id": "REPORT", "sku": "A"})
        self.refused(grpc.StatusCode.NOT_FOUND, f"{STOCK}/GetStock", {"aggregate_id": "REPORT", "sku": "B"})
        after = count()
        self.assertEqual((after[0] - before[0], after[1] - before[1]), (4, 1))


class OverUnixSocket(unittest.TestCase):
    """The same protocol on the Unix sockets of gateway and services."""

    @classmethod
    def setUpClass(cls):
        cls.stack = cls.enterClassContext(Stack())

    def test_gateway_and_services_answer_on_their_sockets(self):
        for name in self.stack.processes:
            with self.subTest(name), channel(self.stack.socket(name)) as over:
                stub = health_pb2_grpc.HealthStub(over)
                answer = stub.Check(health_pb2.HealthCheckRequest(), timeout=10)
                self.assertEqual(answer.status, health_pb2.HealthCheckResponse.SERVING)

    def test_service_describes_itself_by_reflection(self):
        with Reflected(self.stack.socket("inventory-1")) as client:
            self.assertIn(STOCK, client.services())
            self.assertEqual(client.call(f"{STOCK}/ListStock", {"aggregate_id": "A"}), {})


if __name__ == "__main__":
    unittest.main()
