"""h2load as the load: unary gRPC calls, and a check that every one was echoed."""

import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure

MESSAGE = b"The quick brown fox jumps over the lazy dog, twice"
BODY = bytes([0]) + len(MESSAGE).to_bytes(4, "big") + MESSAGE
HEADERS = ["content-type: application/grpc", "te: trailers", "grpc-timeout: 10S"]


@dataclass(frozen=True)
class Result:
    requests_per_second: float
    succeeded: int
    data_bytes: int


def load(
    address: str,
    path: str,
    requests: int,
    directory: Path,
    clients: int = 8,
    in_flight: int = 32,
    cores: set[int] = frozenset(),
) -> Result:
    """Sends `requests` calls to `path` and returns when all are answered with the bytes they sent."""
    body = directory / "body"
    body.write_bytes(BODY)
    command = ["h2load", "-c", str(clients), "-m", str(in_flight), "-n", str(requests), "-d", str(body)]
    for header in HEADERS:
        command += ["-H", header]
    done = subprocess.run(
        command + [f"http://{address}{path}"],
        capture_output=True,
        text=True,
        preexec_fn=(lambda: os.sched_setaffinity(0, cores)) if cores else None,
    )
    if done.returncode != 0:
        raise Failure(f"h2load to {address}{path} failed with exit code {done.returncode}: {done.stderr.strip()}")
    result = parse(done.stdout)
    # h2load knows nothing of grpc-status, but a call that fails has no message to count.
    if result.succeeded != requests or result.data_bytes != requests * len(BODY):
        raise Failure(
            f"{address}{path} echoed {result.data_bytes} bytes in {result.succeeded} answers; "
            f"{requests} calls of {len(BODY)} bytes were sent"
        )
    return result


def parse(output: str) -> Result:
    """Reads h2load's summary."""
    rate = re.search(r"^finished in .*?, ([\d.]+) req/s", output, re.MULTILINE)
    succeeded = re.search(r"^requests: .* (\d+) succeeded", output, re.MULTILINE)
    data = re.search(r"^traffic: .* \((\d+)\) data$", output, re.MULTILINE)
    if not (rate and succeeded and data):
        raise Failure(f"h2load's summary is not as expected; version 1.52 is known to work:\n{output}")
    return Result(float(rate[1]), int(succeeded[1]), int(data[1]))
