"""`grpc.testing.TestService` on grpcio: server.py DESCRIPTORS ADDRESS [CERTIFICATE KEY]."""

from concurrent import futures
import sys
import time

import grpc
from testing import ECHO_INITIAL, ECHO_TRAILING, OPTIONS, SERVICE, Testing, read, received, usage


class TestService:
    """Methods by their names. Those that are missing are what the cases about unknown methods call."""

    def __init__(self, testing):
        self.testing = testing

    def EmptyCall(self, request, context):
        return self.testing.Empty()

    def UnaryCall(self, request, context):
        if request.message.response_compressed.value:
            context.set_compression(grpc.Compression.Gzip)
        self.echo(context)
        self.check_compression(request, context)
        self.end_as_asked(request.message, context)
        return self.testing.SimpleResponse(payload=self.payload(request.message.response_size))

    def StreamingInputCall(self, requests, context):
        size = 0
        for request in requests:
            self.check_compression(request, context)
            size += len(request.message.payload.body)
        return self.testing.StreamingInputCallResponse(aggregated_payload_size=size)

    def StreamingOutputCall(self, request, context):
        if any(parameters.compressed.value for parameters in request.message.response_parameters):
            context.set_compression(grpc.Compression.Gzip)
        self.echo(context)
        self.end_as_asked(request.message, context)
        yield from self.answers(request.message, context)

    def FullDuplexCall(self, requests, context):
        self.echo(context)
        for request in requests:
            self.end_as_asked(request.message, context)
            yield from self.answers(request.message, context)

    def answers(self, request, context):
        for parameters in request.response_parameters:
            if parameters.interval_us:
                time.sleep(parameters.interval_us / 1e6)  # what the request asks for, not a wait for something
            if not parameters.compressed.value:
                context.disable_next_message_compression()
            yield self.testing.StreamingOutputCallResponse(payload=self.payload(parameters.size))

    def payload(self, size):
        return self.testing.Payload(body=bytes(size))

    @staticmethod
    def echo(context):
        """Sends the initial metadata: what is said about compression after this comes too late."""
        metadata = context.invocation_metadata()
        context.send_initial_metadata([pair for pair in metadata if pair[0] == ECHO_INITIAL])
        context.set_trailing_metadata([pair for pair in metadata if pair[0] == ECHO_TRAILING])

    @staticmethod
    def check_compression(request, context):
        wanted = request.message.expect_compressed
        if request.message.HasField("expect_compressed") and wanted.value != request.compressed:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"compressed: {request.compressed}, not {wanted.value}")

    @staticmethod
    def end_as_asked(request, context):
        if request.HasField("response_status") and request.response_status.code:
            code = next(code for code in grpc.StatusCode if code.value[0] == request.response_status.code)
            context.abort(code, request.response_status.message)


def main(descriptors, address, *identity):
    service = TestService(Testing(descriptors))
    handlers = {}
    for name, _, shape, request, response in service.testing.methods(SERVICE):
        if hasattr(service, name):
            make = getattr(grpc, f"{shape}_rpc_method_handler")
            handlers[name] = make(getattr(service, name), received(request), response.SerializeToString)
    # More threads than calls at once: a thread is bound for as long as a call is.
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=OPTIONS)
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    if identity:
        certificate, key = map(read, identity)
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(key, certificate)]))
    else:
        port = server.add_insecure_port(address)
    server.start()
    if not address.startswith("unix:"):
        address = f"{address.rpartition(':')[0]}:{port}"
    print(f"listening on {address}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    if len(sys.argv) not in (3, 5):
        usage(__doc__)
    main(*sys.argv[1:])
