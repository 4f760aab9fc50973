"""The cases of gRPC's interoperability tests on grpcio: client.py DESCRIPTORS TARGET CASE [CA].

Source: gRPC's doc/interop-test-descriptions.md.
"""

import os
import random
import sys
import threading
from types import SimpleNamespace

import grpc
from testing import ECHO_INITIAL, ECHO_TRAILING, OPTIONS, SERVICE, Testing, read, received, usage

GZIP = grpc.Compression.Gzip
PLAIN = grpc.Compression.NoCompression


class Cases:
    def __init__(self, testing, channel):
        self.testing = testing
        self.stub = self.stub_of(channel, SERVICE)
        self.unimplemented = self.stub_of(channel, "grpc.testing.UnimplementedService")

    def stub_of(self, channel, service):
        stub = SimpleNamespace()
        for name, path, shape, request, response in self.testing.methods(service):
            make = getattr(channel, shape)
            setattr(stub, name, make(path, request.SerializeToString, received(response)))
        return stub

    # Messages

    def empty_unary(self):
        equal("response", self.stub.EmptyCall(self.testing.Empty()).message, self.testing.Empty())

    def large_unary(self):
        self.check_zeros("response", self.stub.UnaryCall(self.large_request()), 314159)

    def concurrent_large_unary(self):
        """The description says 1000 calls. 100 fill every window as well, in a tenth of the time."""
        request = self.large_request()
        for call in [self.stub.UnaryCall.future(request) for _ in range(100)]:
            self.check_zeros("response", call.result(), 314159)

    def client_streaming(self):
        requests = (self.testing.StreamingInputCallRequest(payload=self.zeros(size)) for size in (27182, 8, 1828, 45904))
        equal("size", self.stub.StreamingInputCall(requests).message.aggregated_payload_size, 74922)

    def server_streaming(self):
        sizes = (31415, 9, 2653, 58979)
        responses = list(self.stub.StreamingOutputCall(self.output_request(*({"size": size} for size in sizes))))
        equal("responses", len(responses), len(sizes))
        for response, size in zip(responses, sizes):
            self.check_zeros("response", response, size)

    def ping_pong(self):
        with Requests() as requests:
            responses = self.stub.FullDuplexCall(requests)
            for request_size, response_size in ((27182, 31415), (8, 9), (1828, 2653), (45904, 58979)):
                requests.send(self.output_request({"size": response_size}, payload=self.zeros(request_size)))
                self.check_zeros(f"response to {request_size} bytes", next(responses), response_size)
        equal("further responses", list(responses), [])
        equal("status", responses.code(), grpc.StatusCode.OK)

    def empty_stream(self):
        equal("responses", list(self.stub.FullDuplexCall(iter(()))), [])

    # Compression

    def client_compressed_unary(self):
        def request(compressed):
            return self.large_request(expect_compressed={"value": compressed})

        ends_with(grpc.StatusCode.INVALID_ARGUMENT, lambda: self.stub.UnaryCall(request(True), compression=PLAIN))
        for compressed in (True, False):
            response = self.stub.UnaryCall(request(compressed), compression=GZIP if compressed else PLAIN)
            self.check_zeros("response", response, 314159)

    def server_compressed_unary(self):
        for compressed in (True, False):
            response = self.stub.UnaryCall(self.large_request(response_compressed={"value": compressed}))
            self.check_zeros("response", response, 314159)
            equal("compressed", response.compressed, compressed)

    def client_compressed_streaming(self):
        def request(compressed, payload):
            return self.testing.StreamingInputCallRequest(expect_compressed={"value": compressed}, payload=payload)

        probe = request(True, self.zeros(27182))
        ends_with(grpc.StatusCode.INVALID_ARGUMENT, lambda: self.stub.StreamingInputCall(iter([probe]), compression=PLAIN))
        # grpcio's clients compress all messages of a call or none, but never one that this would make longer. So the
        # second message holds noise instead of zeros.
        noise = self.testing.Payload(body=random.Random(45904).randbytes(45904))
        requests = [probe, request(False, noise)]
        response = self.stub.StreamingInputCall(iter(requests), compression=GZIP)
        equal("size", response.message.aggregated_payload_size, 73086)

    def server_compressed_streaming(self):
        wanted = ((31415, True), (92653, False))
        request = self.output_request(*({"size": size, "compressed": {"value": value}} for size, value in wanted))
        responses = list(self.stub.StreamingOutputCall(request))
        equal("responses", len(responses), len(wanted))
        for response, (size, compressed) in zip(responses, wanted):
            self.check_zeros("response", response, size)
            equal(f"response of {size} bytes is compressed", response.compressed, compressed)

    # Metadata and statuses

    def custom_metadata(self):
        sent = [(ECHO_INITIAL, "test_initial_metadata_value"), (ECHO_TRAILING, b"\xab\xab\xab")]
        response, call = self.stub.UnaryCall.with_call(self.large_request(), metadata=sent)
        self.check_zeros("response", response, 314159)
        self.check_metadata(call, sent)
        call = self.stub.FullDuplexCall(
            iter([self.output_request({"size": 314159}, payload=self.zeros(271828))]), metadata=sent)
        self.check_zeros("response", next(call), 314159)
        equal("further responses", list(call), [])
        self.check_metadata(call, sent)

    @staticmethod
    def check_metadata(call, sent):
        equal("status", call.code(), grpc.StatusCode.OK)
        for which, metadata, pair in (("initial", call.initial_metadata(), sent[0]),
                                      ("trailing", call.trailing_metadata(), sent[1])):
            equal(f"{which} metadata", [tuple(each) for each in metadata if each[0] == pair[0]], [pair])

    def status_code_and_message(self):
        status = {"code": 2, "message": "test status message"}
        self.check_status(status, lambda: self.stub.UnaryCall(self.testing.SimpleRequest(response_status=status)))
        self.check_status(status, lambda: list(self.stub.FullDuplexCall(iter([self.output_request(response_status=status)]))))

    def special_status_message(self):
        status = {"code": 2, "message": "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"}
        self.check_status(status, lambda: self.stub.UnaryCall(self.testing.SimpleRequest(response_status=status)))

    @staticmethod
    def check_status(status, call):
        equal("message of the status", ends_with(grpc.StatusCode.UNKNOWN, call).details(), status["message"])

    def unimplemented_method(self):
        ends_with(grpc.StatusCode.UNIMPLEMENTED, lambda: self.stub.UnimplementedCall(self.testing.Empty()))

    def unimplemented_service(self):
        ends_with(grpc.StatusCode.UNIMPLEMENTED, lambda: self.unimplemented.UnimplementedCall(self.testing.Empty()))

    # Cancellation and deadline

    def cancel_after_begin(self):
        with Requests() as requests:
            call = self.stub.StreamingInputCall.future(requests)
            call.cancel()
            equal("cancelled", call.cancelled(), True)
            equal("status", call.code(), grpc.StatusCode.CANCELLED)

    def cancel_after_first_response(self):
        with Requests() as requests:
            call = self.stub.FullDuplexCall(requests)
            requests.send(self.output_request({"size": 31415}, payload=self.zeros(27182)))
            self.check_zeros("first response", next(call), 31415)
            call.cancel()
            ends_with(grpc.StatusCode.CANCELLED, lambda: next(call))

    def timeout_on_sleeping_server(self):
        self.stub.EmptyCall(self.testing.Empty())  # a connection is there, so that the server has the call
        with Requests() as requests:
            requests.send(self.output_request(payload=self.zeros(27182)))
            call = self.stub.FullDuplexCall(requests, timeout=0.001)
            ends_with(grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))

    # Parts

    def zeros(self, size):
        return self.testing.Payload(body=bytes(size))

    def large_request(self, **fields):
        return self.testing.SimpleRequest(response_size=314159, payload=self.zeros(271828), **fields)

    def output_request(self, *parameters, **fields):
        return self.testing.StreamingOutputCallRequest(response_parameters=parameters, **fields)

    @staticmethod
    def check_zeros(what, response, size):
        equal(f"{what}: size", len(response.message.payload.body), size)
        equal(f"{what}: all zeros", any(response.message.payload.body), False)


class Requests:
    """The messages of a call, as they come; ends when the block does."""

    def __init__(self):
        self._pending, self._ended, self._changed = [], False, threading.Condition()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self._changed:
            self._ended = True
            self._changed.notify()

    def send(self, request):
        with self._changed:
            self._pending.append(request)
            self._changed.notify()

    def __iter__(self):
        return self

    def __next__(self):
        with self._changed:
            self._changed.wait_for(lambda: self._pending or self._ended)
            if self._pending:
                return self._pending.pop(0)
            raise StopIteration


def equal(what, found, expected):
    if found != expected:
        raise AssertionError(f"{what}: {found!r}, not {expected!r}")


def ends_with(code, call):
    """The error that the call ends with."""
    try:
        call()
    except grpc.RpcError as error:
        equal(f"status ({error.details()})", error.code(), code)
        return error
    raise AssertionError(f"the call ended with OK, not {code}")


def main(descriptors, target, case, *authority):
    if authority:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(read(authority[0])), options=OPTIONS)
    else:
        channel = grpc.insecure_channel(target, options=OPTIONS)
    with channel:
        getattr(Cases(Testing(descriptors), channel), case)()
    print(f"{case}: ok")


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or sys.argv[3] not in vars(Cases):
        usage(__doc__)
    main(*sys.argv[1:])
    # Not through the interpreter's end: it kills grpcio's threads where they are, and now and then one of them holds the
    # lock that the end then waits for.
    sys.stdout.flush()
    os._exit(0)
