"""h2load as the load: unary gRPC calls, and a check that every one was echoed."""

import re
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure
from .processes import run_on

MESSAGE = b"The quick brown fox jumps over the lazy dog, twice"
BODY = bytes([0]) + len(MESSAGE).to_bytes(4, "big") + MESSAGE
# What every client of a service sends: the deadline, and metadata that identifies the call.
HEADERS = [
    "content-type: application/grpc",
    "te: trailers",
    "grpc-timeout: 10S",
    "x-request-id: 3f1c2a9e-7b0d-4c55-9a1e-0d2f6b8c4e71",
    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
]


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
    scheme: str = "http",
    log: Path | None = None,
) -> Result:
    """Sends `requests` calls to `path` and returns when all are answered with the bytes they sent."""
    body = directory / "body"
    body.write_bytes(BODY)
    command = ["h2load", "-c", str(clients), "-m", str(in_flight), "-n", str(requests), "-d", str(body)]
    if log is not None:
        command.append(f"--log-file={log}")
    for header in HEADERS:
        command += ["-H", header]
    output = run_on(cores, [*command, f"{scheme}://{address}{path}"])
    if scheme == "https" and "TLS Protocol: TLSv1.3" not in output:
        raise Failure(f"{address} was not spoken to by TLS 1.3:\n{output}")
    result = parse(output)
    # h2load knows nothing of grpc-status, but a call that fails has no message to count.
    if result.succeeded != requests or result.data_bytes != requests * len(BODY):
        raise Failure(
            f"{address}{path} echoed {result.data_bytes} bytes in {result.succeeded} answers; "
            f"{requests} calls of {len(BODY)} bytes were sent"
        )
    return result


def times_us(
    address: str, path: str, requests: int, directory: Path, clients: int, in_flight: int, cores: set[int]
) -> list[int]:
    """How long each call took, in microseconds, ascending."""
    log = directory / "times"
    log.unlink(missing_ok=True)  # h2load appends
    load(address, path, requests, directory, clients, in_flight, cores, log=log)
    times = parse_times(log.read_text())
    if len(times) != requests:
        raise Failure(f"h2load logged {len(times)} of {requests} calls to {address}{path}")
    return times


def parse_times(log: str) -> list[int]:
    """Reads h2load's log: when a request started, its HTTP status, and how long it took, in microseconds."""
    return sorted(int(line.split("\t")[2]) for line in log.splitlines())


def parse(output: str) -> Result:
    """Reads h2load's summary."""
    rate = re.search(r"^finished in .*?, ([\d.]+) req/s", output, re.MULTILINE)
    succeeded = re.search(r"^requests: .* (\d+) succeeded", output, re.MULTILINE)
    data = re.search(r"^traffic: .* \((\d+)\) data$", output, re.MULTILINE)
    if not (rate and succeeded and data):
        raise Failure(f"h2load's summary is not as expected; version 1.52 is known to work:\n{output}")
    return Result(float(rate[1]), int(succeeded[1]), int(data[1]))
