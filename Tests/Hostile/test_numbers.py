"""Numbers at the ends of their types, in every field of every call: Swift ends a process whose integers overflow."""

import unittest

import grpc
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message_factory import GetMessageClass
from reflected import Reflected
from stack import Stack

TIMEOUT_S = 10
INTEGERS = {Field.CPPTYPE_INT32: 31, Field.CPPTYPE_INT64: 63, Field.CPPTYPE_ENUM: 31}
NATURALS = {Field.CPPTYPE_UINT32: 32, Field.CPPTYPE_UINT64: 64}
FLOATS = {Field.CPPTYPE_DOUBLE, Field.CPPTYPE_FLOAT}


def ends(field):
    """The values that break careless arithmetic."""
    if bits := INTEGERS.get(field.cpp_type):
        return [-(2**bits), -(2**bits) + 1, -1, 2**bits - 2, 2**bits - 1]
    if bits := NATURALS.get(field.cpp_type):
        return [2**bits - 2, 2**bits - 1]
    if field.cpp_type in FLOATS:
        return [float("inf"), float("-inf"), float("nan"), 1.7e308]
    return []


def numbers(descriptor, path=(), depth=4):
    """The path of every number within a message."""
    for field in descriptor.fields:
        if field.message_type is not None and not field.message_type.GetOptions().map_entry and depth:
            yield from numbers(field.message_type, (*path, field), depth - 1)
        elif ends(field):
            yield (*path, field)


def with_number(kind, path, value):
    """A message with nothing but that number in it."""
    message = kind()
    place = message
    for field in path[:-1]:
        place = getattr(place, field.name)
        if field.is_repeated:
            place = place.add()
        else:
            place.SetInParent()
    last = path[-1]
    if last.is_repeated:
        getattr(place, last.name).append(value)
    else:
        setattr(place, last.name, value)
    return message


class Numbers(unittest.TestCase):
    def test_every_number_of_every_call(self):
        """Whatever is answered: in time, and by the process that has answered before."""
        with Stack() as stack:
            tried = 0
            for name in stack.processes:
                with Reflected(stack.socket(name)) as client:
                    tried += sum(self._try(client, method) for method in self._methods(client))
            self.assertGreater(tried, 100)
            self.assertEqual([name for name, process in stack.processes.items() if not process.running], [])

    @staticmethod
    def _methods(client):
        for service in client.services():
            if service.startswith("omsconnector."):
                yield from (f"{service}/{method.name}" for method in client.service(service).methods)

    def _try(self, client, name):
        invoke, _ = client.stub(name)
        method = client.method(name)
        kind = GetMessageClass(method.input_type)
        tried = 0
        for path in numbers(method.input_type):
            for value in ends(path[-1]):
                request = with_number(kind, path, value)
                with self.subTest(method=name, field=".".join(field.name for field in path), value=value):
                    self._call(invoke, method, request)
                tried += 1
        return tried

    def _call(self, invoke, method, request):
        try:
            answer = invoke(iter([request]) if method.client_streaming else request, timeout=TIMEOUT_S)
            if method.server_streaming:
                list(answer)
        except grpc.RpcError as error:
            self.assertNotIn(
                error.code(), {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNAVAILABLE}, error.details())


if __name__ == "__main__":
    unittest.main()
