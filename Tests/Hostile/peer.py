"""Ends of connections that send whatever they are told to and take notes of what comes back."""

import itertools
import select
import socket
import struct
import time

import hpack
from hyperframe.frame import (
    ContinuationFrame, Frame, GoAwayFrame, HeadersFrame, PingFrame, RstStreamFrame, SettingsFrame, WindowUpdateFrame)

import outcome
import wire

PATIENCE_S = 30  # only a server that hangs takes that long
NO_METHOD = wire.request_block(path="/probe")
FIRST_PROBE = 2**31 - 9999  # above all streams of the tests


def connect(target):
    """A non-blocking socket to `unix:PATH` or `HOST:PORT`."""
    if target.startswith("unix:"):
        made = socket.socket(socket.AF_UNIX)
        # Blocking, with the kernel's own limit: with Python's, a full queue of the listener is an error.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", PATIENCE_S, 0))
        made.connect(target.removeprefix("unix:"))
    else:
        host, _, port = target.rpartition(":")
        made = socket.create_connection((host, int(port)), PATIENCE_S)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setblocking(False)
    return made


def ready(connected, reads, writes, timeout_s):
    """(readable, writable), as soon as one that is asked for holds; both false after timeout_s."""
    poll = select.poll()  # select() knows the first 1024 descriptors only
    poll.register(connected, (select.POLLIN if reads else 0) | (select.POLLOUT if writes else 0))
    found = poll.poll(max(0, timeout_s) * 1000)
    events = found[0][1] if found else 0
    broken = events & (select.POLLERR | select.POLLHUP)
    return reads and bool(events & select.POLLIN or broken), writes and bool(events & select.POLLOUT or broken)


class Endpoint:
    """One side of a connection.

    It reads while it sends, so that neither side waits for the other for ever, until `reads` is turned off as an attack.
    """

    def __init__(self, connected, skipped=0):
        """`skipped`: how many bytes come before the first frame."""
        self.socket = connected
        self._skipped = skipped
        self.reads = True
        self.closed = False
        self.frames = []  # hyperframe's
        self.fields = {}  # stream → all header fields that came on it
        self.resets = {}  # stream → code
        self.ended = set()  # streams on which END_STREAM came
        self.received = {}  # stream → bytes of DATA
        self.go_away = None  # the last code
        self.initial_window = wire.DEFAULT_WINDOW  # the other side's
        self.given = {}  # stream, or 0 → what its WINDOW_UPDATEs have given
        self._spent = {}
        self._decoder = hpack.Decoder(max_header_list_size=1 << 20)
        self._block = b""
        self._unparsed = bytearray()
        self.answered = set()  # the payloads of PINGs that came back

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, raw, timeout_s=PATIENCE_S):
        """False when the other side has closed before it took all of it."""
        view, deadline = memoryview(raw), time.monotonic() + timeout_s
        while view and not self.closed:
            readable, writable = ready(self.socket, self.reads, True, deadline - time.monotonic())
            if readable:
                self._receive()
            if writable:
                try:
                    view = view[self.socket.send(view):]
                except BlockingIOError:
                    pass
                except OSError:
                    return self._drain()
            if not readable and not writable:
                raise AssertionError(f"the other side has not taken {len(view)} bytes within {timeout_s} s")
        return not self.closed

    def window(self, stream):
        """How much may be sent on that stream now."""
        own = self.initial_window + self.given.get(stream, 0) - self._spent.get(stream, 0)
        shared = wire.DEFAULT_WINDOW + self.given.get(0, 0) - self._spent.get(0, 0)
        return min(own, shared)

    def send_data(self, payload, stream, end=False, frame_size=wire.MAX_FRAME):
        """As the windows permit. False when the stream or the connection has ended before it was all sent."""
        at = 0
        while at < len(payload):
            if not self.wait(lambda: self.window(stream) > 0 or stream in self.ended or stream in self.resets,
                             "a window to open"):
                return False
            if stream in self.ended or stream in self.resets:
                return False
            part = payload[at:at + min(frame_size, self.window(stream))]
            at += len(part)
            self._spend(stream, len(part))
            self.send(wire.data(part, stream, end and at == len(payload)))
        return True

    def _spend(self, stream, count):
        for each in (stream, 0):
            self._spent[each] = self._spent.get(each, 0) + count

    def send_padding(self, count, stream):
        """DATA of 255 bytes of padding and nothing else, which counts against the windows all the same (RFC 9113 §6.9.1)."""
        for _ in range(count):
            self.wait(lambda: self.window(stream) >= 256, "a window to open")
            self._spend(stream, 256)
            self.send(wire.data(b"\xff" + bytes(255), stream, flags=wire.PADDED))

    def send_what_fits(self, raw):
        """Until all is sent or the other side reads no more; how many bytes it took."""
        view = memoryview(raw)
        while view:
            # It reads within a moment or, being full, never.
            if not ready(self.socket, False, True, 0.5)[1]:
                break
            try:
                view = view[self.socket.send(view):]
            except BlockingIOError:
                pass
            except OSError:
                break
        return len(raw) - len(view)

    def _drain(self):
        """The other side is gone; what it said before that is still to be read."""
        while not self.closed:
            self._receive()
        return False

    def _receive(self):
        try:
            raw = self.socket.recv(1 << 18)
        except BlockingIOError:
            return
        except OSError:
            raw = b""
        if not raw:
            self.closed = True
            return
        skip = min(self._skipped, len(raw))
        self._skipped -= skip
        self._unparsed += raw[skip:]
        self._parse()

    def _parse(self):
        at = 0
        while len(self._unparsed) - at >= 9:
            found, length = Frame.parse_frame_header(memoryview(bytes(self._unparsed[at:at + 9])))
            if len(self._unparsed) - at < 9 + length:
                break
            found.parse_body(memoryview(bytes(self._unparsed[at + 9:at + 9 + length])))
            at += 9 + length
            self._note(found)
        del self._unparsed[:at]

    def _note(self, found):
        stream = found.stream_id
        if isinstance(found, PingFrame):
            if "ACK" in found.flags:
                self.answered.add(found.opaque_data)
        elif isinstance(found, GoAwayFrame):
            self.go_away = found.error_code
        elif isinstance(found, RstStreamFrame):
            self.resets[stream] = found.error_code
        elif isinstance(found, (HeadersFrame, ContinuationFrame)):
            self._block += found.data
            if "END_HEADERS" in found.flags:
                decoded, self._block = self._decoder.decode(self._block), b""
                self.fields.setdefault(stream, []).extend(decoded)
        elif isinstance(found, WindowUpdateFrame):
            self.given[stream] = self.given.get(stream, 0) + found.window_increment
        elif isinstance(found, SettingsFrame):
            self.initial_window = found.settings.get(wire.INITIAL_WINDOW_SIZE, self.initial_window)
        elif found.type == wire.DATA:
            self.received[stream] = self.received.get(stream, 0) + len(found.data)
        if stream and "END_STREAM" in found.flags:
            self.ended.add(stream)
        self.frames.append(found)

    def wait(self, condition, what, timeout_s=PATIENCE_S):
        """Until `condition()`, or until the other side has closed. Whether the former."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if self.closed:
                return False
            if not ready(self.socket, True, False, deadline - time.monotonic())[0]:
                raise AssertionError(f"waited {timeout_s} s for {what}")
            self._receive()
        return True

    def wait_a_moment(self, timeout_s):
        """Takes in what comes within that time. Whether the connection is still there."""
        if not self.closed and ready(self.socket, True, False, timeout_s)[0]:
            self._receive()
        return not self.closed

    def wait_closed(self, timeout_s=PATIENCE_S):
        self.wait(lambda: False, "the other side to close", timeout_s)

    def status(self, stream):
        """The gRPC status of that stream; None while there is none."""
        value = dict(self.fields.get(stream, ())).get("grpc-status")
        return None if value is None else int(value)


class Peer(Endpoint):
    """with Peer(target) as peer: peer.send(…); peer.outcome()"""

    def __init__(self, target, settings=(), preface=True, acknowledges=True):
        super().__init__(connect(target))
        self._probes = itertools.count(FIRST_PROBE, 2)
        if preface:
            self.send(wire.PREFACE + wire.settings(*settings))
            # The server's limits hold for us once we have said that we know them (RFC 9113 §6.5.3).
            self.wait(lambda: self.frames, "the server's SETTINGS")
            if acknowledges:
                self.send(wire.settings(flags=wire.ACK))

    def round_trip(self):
        """A call that the server refuses, and that; False when the connection has ended instead.

        No PING: who sends more than a few of those is sent away (gRPC's keepalive.md).
        """
        probe = next(self._probes)
        return self.send(wire.headers(NO_METHOD, probe, end=True)) and self.wait(
            lambda: probe in self.ended or probe in self.resets, "the answer to a call")

    def outcome(self, stream=1):
        """What has become of the connection and of that stream, once all that was sent has been looked at."""
        # The first answer may overtake what was to be said of the frames before it; the second one comes behind that.
        if self.round_trip() and self.round_trip():
            if self.go_away:
                self.wait_closed()
                return outcome.GoAway(self.go_away)
            return self._stream_outcome(stream)
        return outcome.GoAway(self.go_away) if self.go_away else outcome.Closed()

    def _stream_outcome(self, stream):
        http_status = dict(self.fields.get(stream, ())).get(":status", "200")
        if http_status != "200":
            return outcome.Http(int(http_status))
        if self.status(stream) is not None:
            return outcome.Status(self.status(stream))
        if stream in self.resets:
            return outcome.Reset(self.resets[stream])
        return outcome.Ignored()
