"""What an error says of trying again."""

import functools
import os
import subprocess

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from stack import ROOT

DETAILS = "grpc-status-details-bin"
PUSHBACK = "grpc-retry-pushback-ms"


@functools.cache
def _messages():
    """google.rpc.Status and RetryInfo, from their .proto."""
    compiled = subprocess.run(
        ["protoc", "-I", os.path.join(ROOT, "proto"), "--include_imports", "--descriptor_set_out=/dev/stdout",
         "google/rpc/status.proto", "google/rpc/error_details.proto"], check=True, capture_output=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(compiled.stdout).file:
        pool.Add(file)
    return [message_factory.GetMessageClass(pool.FindMessageTypeByName(f"google.rpc.{name}")) for name in ("Status", "RetryInfo")]


def retry_hint(error):
    """After how many seconds a call that ended with this RpcError may be made again; None when the error doesn't say."""
    trailers = dict(error.trailing_metadata() or ())
    if PUSHBACK in trailers:
        return int(trailers[PUSHBACK]) / 1000
    if DETAILS not in trailers:
        return None
    status, retry_info = _messages()
    for detail in status.FromString(trailers[DETAILS]).details:
        if detail.type_url.endswith("/google.rpc.RetryInfo"):
            delay = retry_info.FromString(detail.value).retry_delay
            return delay.seconds + delay.nanos / 1e9
    return None
