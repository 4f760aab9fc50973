"""strip_services.py IN OUT: the descriptor set without services."""
import sys

from google.protobuf import descriptor_pb2

with open(sys.argv[1], "rb") as source:
    files = descriptor_pb2.FileDescriptorSet.FromString(source.read())
for file in files.file:
    del file.service[:]
with open(sys.argv[2], "wb") as target:
    target.write(files.SerializeToString())
