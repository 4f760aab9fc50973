"""What an endpoint made of what it was sent, in the terms of RFC 9113 §5.4 and of gRPC."""

from dataclasses import dataclass

import wire


@dataclass(frozen=True)
class GoAway:
    """A connection error: GOAWAY with this code, and then the end of the connection."""

    code: int

    def __str__(self):
        return f"GOAWAY({wire.ERROR_NAMES[self.code]})"


@dataclass(frozen=True)
class Reset:
    """A stream error: RST_STREAM with this code; the connection lives on."""

    code: int

    def __str__(self):
        return f"RST_STREAM({wire.ERROR_NAMES[self.code]})"


@dataclass(frozen=True)
class Http:
    """An HTTP status other than 200; the connection lives on."""

    status: int

    def __str__(self):
        return f"HTTP {self.status}"


@dataclass(frozen=True)
class Status:
    """A status of gRPC; the connection lives on."""

    code: int

    def __str__(self):
        return f"grpc-status {self.code}"


@dataclass(frozen=True)
class Closed:
    """The connection ended without a GOAWAY that names an error."""

    def __str__(self):
        return "closed"


@dataclass(frozen=True)
class Ignored:
    """Nothing happened: the stream is as it was, the connection lives on."""

    def __str__(self):
        return "ignored"


OK = Status(0)
CALM = GoAway(wire.ENHANCE_YOUR_CALM)


def connection_error(code):
    return {GoAway(code)}


def stream_error(code):
    """Who finds a stream error may take it for a connection error (RFC 9113 §5.4.1)."""
    return {Reset(code), GoAway(code)}


def malformed():
    """§8.1.1: a stream error, before which a server may say so in HTTP's terms."""
    return stream_error(wire.PROTOCOL_ERROR) | {Http(400)}


def shown(outcomes):
    return " or ".join(sorted(map(str, outcomes)))
