"""A gRPC client that knows nothing but what the server's reflection says."""

import os

os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # refused connections are part of the tests

import grpc  # noqa: E402
from google.protobuf import descriptor_pool, json_format, message_factory  # noqa: E402
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase  # noqa: E402

TIMEOUT_S = 30
OPTIONS = [
    ("grpc.enable_http_proxy", 0),
    ("grpc.max_receive_message_length", 64 << 20),
    # A server that is killed and started again is back in a moment; grpcio would look after a second at first, then later.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 500),
]


def channel(target, **options):
    return grpc.insecure_channel(target, options=OPTIONS + list(options.items()))


class Reflected:
    """client.call("omsconnector.v1.InventoryService/GetStock", {"aggregate_id": "A", "sku": "B"}) → a dict."""

    def __init__(self, target, **options):
        self.channel = channel(target, **options)
        self._database = ProtoReflectionDescriptorDatabase(self.channel)
        self._pool = descriptor_pool.DescriptorPool(self._database)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.channel.close()

    def services(self):
        return sorted(self._database.get_services())

    def service(self, name):
        """Its descriptor, fetched by reflection."""
        return self._pool.FindServiceByName(name)

    def method(self, method):
        service, _, name = method.partition("/")
        return self.service(service).methods_by_name[name]

    def message(self, full_name, fields):
        """A message of that type from a dict in protobuf's JSON form."""
        kind = message_factory.GetMessageClass(self._pool.FindMessageTypeByName(full_name))
        return json_format.ParseDict(fields, kind())

    def stub(self, method):
        """(gRPC multi-callable, request class). Takes and gives messages."""
        found = self.method(method)
        request = message_factory.GetMessageClass(found.input_type)
        response = message_factory.GetMessageClass(found.output_type)
        shape = ("stream" if found.client_streaming else "unary") + "_" + ("stream" if found.server_streaming else "unary")
        make = getattr(self.channel, shape)
        return make("/" + method, request.SerializeToString, response.FromString), request

    def call(self, method, request=None, timeout=TIMEOUT_S, **options):
        """`request`: a dict, or an iterable of dicts for a stream. A dict, or a list of dicts for a stream of answers."""
        invoke, kind = self.stub(method)
        found = self.method(method)
        if found.client_streaming:
            given = (json_format.ParseDict(each, kind()) for each in request or [])
        else:
            given = json_format.ParseDict(request or {}, kind())
        answer = invoke(given, timeout=timeout, **options)
        return [as_dict(each) for each in answer] if found.server_streaming else as_dict(answer)


def as_dict(message):
    """Field names as in the .proto; 64-bit numbers as int; fields without a value left out."""
    return _numbers(message.DESCRIPTOR, json_format.MessageToDict(message, preserving_proto_field_name=True))


def _numbers(descriptor, value):
    """protobuf's JSON form writes 64-bit integers as texts."""
    for field in descriptor.fields:
        if field.name not in value:
            continue
        if field.message_type is not None:
            nested = value[field.name]
            repeated = isinstance(nested, list)
            for each in nested if repeated else [nested]:
                if isinstance(each, dict):
                    _numbers(field.message_type, each)
        elif field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64):
            nested = value[field.name]
            value[field.name] = [int(n) for n in nested] if isinstance(nested, list) else int(nested)
    return value
