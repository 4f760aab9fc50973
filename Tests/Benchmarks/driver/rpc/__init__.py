"""Unary echo calls: ours against gRPC C++ and against a C server on bare nghttp2 and epoll, all in one run.

Every round measures every contestant, so that a ratio compares what ran within the same seconds.
"""

from .benchmark import run

__all__ = ["run"]
