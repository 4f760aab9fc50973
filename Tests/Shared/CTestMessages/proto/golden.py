#!/usr/bin/python3
"""Prints, in hexadecimal, what Google's protobuf makes of Samples.everything; GoldenBytes.swift has a copy.

protobuf-c leaves out defaults in a map's entries, which Google's does not; there are none here.

Usage: protoc -I . -I ../../../../proto -I /usr/include --python_out=DIR fixtures/v1/all_types.proto
       google/type/decimal.proto, then PYTHONPATH=DIR golden.py
"""
from fixtures.v1 import all_types_pb2 as fixtures

message = fixtures.AllTypes(
    double_field=-1.5, float_field=0.25, int32_field=-7, int64_field=-(2**63), uint32_field=2**32 - 1,
    uint64_field=2**64 - 1, sint32_field=-(2**31), sint64_field=-5, fixed32_field=7, fixed64_field=8,
    sfixed32_field=-9, sfixed64_field=-10, bool_field=True, string_field="Größe 10 ½ 🙂", bytes_field=b"\x00\xff\x80",
    color=fixtures.COLOR_NEGATIVE, maybe=0, data=b"",
    doubles=[0.0, 1.25], int32s=[-1, 0, 300], int64s=[2**62], fixed64s=[1, 2], bools=[True, False],
    strings=["", "a"], bytes_list=[b"", b"b"], colors=[fixtures.COLOR_DARK_BLUE, 77], unpacked=[1, -1],
    labels={"a": "1", "b": "2"}, counts={-1: 5, 2: 6}, ratios={True: 0.5},
    colors_by_name={"x": fixtures.COLOR_RED}, value=3, pointer="p", arena="r", c="s",
)
message.leaf.name = "oak"
message.leaf.kind = fixtures.Leaf.KIND_GREEN
message.leaf.veins.add(length=3)
message.leaf.veins.add()
message.moment.seconds, message.moment.nanos = -1, 999999999
message.amount.value = "4.20"
message.leaves.add()
message.leaves.add(name="elm", size=9)
message.amounts.add(value="0.10")
message.moments.add(seconds=1)
message.leaves_by_name["n"].size = 1
setattr(message, "default", "d")
setattr(message, "class", "k")
setattr(message, "in", 4)
print(message.SerializeToString(deterministic=True).hex())
