"""own_files.py SET PARAMETERS: the names of the files whose messages belong to the target that is being generated."""
import sys

from google.protobuf import descriptor_pb2

from schema import Schema

with open(sys.argv[1], "rb") as source:
    files = descriptor_pb2.FileDescriptorSet.FromString(source.read())
for file in Schema(files.file, sys.argv[2]).own_files:
    print(file.name)
