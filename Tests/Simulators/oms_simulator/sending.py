"""How a bus delivers: in order per key, over connections that it keeps, again and again until somebody answers."""

import collections
import hashlib
import hmac
import http.client
import json
import random
import socket
import threading
import time
import urllib.parse
from dataclasses import dataclass

PAUSE_S = 0.02  # after a failed attempt: a callback that is away refuses at once


@dataclass
class Manner:
    """What this bus does that a receiver has to live with. Shares are from 0 to 1."""

    connections: int = 4
    duplicate: float = 0.0  # of the acknowledged messages are sent once more, some time later
    hang_up: float = 0.0  # of the attempts: the connection ends before the answer is read, and the message is sent again
    overtake: float = 0.0  # of the messages are sent while the one before them, of the same key, is still under way
    idle: int = 0  # connections that are opened and never used or closed
    timeout_s: float = 30.0


@dataclass
class Message:
    """One message with the bytes that each attempt sends."""

    id: object
    method: str
    key: str
    params: dict
    body: bytes = b""
    attempts: int = 0
    duplicate: bool = False
    outcome: str = ""  # acknowledged, or refused: the receiver answered an error, and a bus does not try that again
    alone: bool = True  # the next of the key waits for this one

    def __post_init__(self):
        if not self.body:
            request = {"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": self.params}
            self.body = json.dumps(request, ensure_ascii=False).encode()


class Sender:
    """Delivers to one endpoint until it is closed.

        with Sender(endpoint, Manner(), history, seed=7) as sender:
            sender.send("d-1", UPDATED, "EU-WEB", params)
            sender.wait_until_done(30)
    """

    def __init__(self, endpoint, manner, history=None, seed=0):
        self._endpoint, self._manner, self._history = endpoint, manner, history
        self._random = random.Random(seed)
        self._changed = threading.Condition()
        self._queues = collections.OrderedDict()  # key → messages, the first may be under way
        self._busy = collections.Counter()  # key → messages under way
        self._duplicates = []  # for some later moment
        self._due = collections.deque()  # duplicates whose moment has come
        self._duplicates_busy = 0
        self._stopping = False
        self.sent = 0  # messages handed to `send`
        self.acknowledged = 0  # of those
        self.refused = 0
        self.put_off = 0  # attempts that were told to come back
        self._idle = []
        self._threads = [threading.Thread(target=self._run, args=(n,), daemon=True) for n in range(manner.connections)]

    def __enter__(self):
        address = urllib.parse.urlsplit(self._endpoint["url"])
        self._idle = [socket.create_connection((address.hostname, address.port)) for _ in range(self._manner.idle)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(self._manner.timeout_s + 5)
        for connection in self._idle:
            connection.close()

    def send(self, message_id, method, key, params):
        with self._changed:
            message = Message(message_id, method, key, params, alone=self._random.random() >= self._manner.overtake)
            self._queues.setdefault(key, collections.deque()).append(message)
            self.sent += 1
            self._changed.notify_all()

    @property
    def done(self):
        return self.acknowledged + self.refused

    @property
    def waiting(self):
        return self.sent - self.done

    def wait_for_room(self, most, timeout_s):
        """Until fewer than `most` messages wait; false after timeout_s."""
        with self._changed:
            return self._changed.wait_for(lambda: self.waiting < most, timeout_s)

    def wait_for(self, goal, timeout_s):
        """Until that many messages in all are acknowledged or refused."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.done >= goal, timeout_s):
                raise TimeoutError(f"{self.done} of {goal} messages were answered within {timeout_s} s")

    def wait_until_done(self, timeout_s):
        """Until everything that was sent is answered, duplicates too."""

        def through():
            if self._duplicates:
                self._due.extend(self._duplicates)
                self._duplicates.clear()
                self._changed.notify_all()
            return not (self._queues or self._busy or self._due or self._duplicates_busy)

        with self._changed:
            if not self._changed.wait_for(through, timeout_s):
                raise TimeoutError(f"{self.waiting} of {self.sent} messages are not answered within {timeout_s} s")

    def bytes_of(self, message):
        """One attempt as the bytes of an HTTP request, for whoever wants to hold the connection."""
        address = urllib.parse.urlsplit(self._endpoint["url"])
        headers = {"Host": address.netloc, "Content-Length": len(message.body), **self._headers(message.body)}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST {address.path} HTTP/1.1\r\n{head}\r\n".encode() + message.body

    # Threads, one a connection

    def _run(self, number):
        connection = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._next() is not None)
                if self._stopping:
                    break
                message = self._take()
                hangs_up = self._random.random() < self._manner.hang_up
            connection, outcome = self._attempt(connection, number, message, hangs_up)
            with self._changed:
                if outcome in ("lost", "unavailable") and not hangs_up:
                    self._changed.wait_for(lambda: self._stopping, PAUSE_S)
                self._finish(message, outcome)
                self._changed.notify_all()
        if connection is not None:
            connection.close()

    def _next(self):
        """The key that has something to send now; "" for a duplicate."""
        if self._due:
            return ""
        return next((key for key in self._queues if self._ready(key)), None)

    def _ready(self, key):
        if not self._queues[key]:
            return False  # its last message is under way
        return self._busy[key] == 0 or (self._busy[key] == 1 and not self._queues[key][0].alone)

    def _take(self):
        key = self._next()
        if key == "":
            self._duplicates_busy += 1
            return self._due.popleft()
        self._busy[key] += 1
        message = self._queues[key].popleft()
        self._queues.move_to_end(key)  # the other keys first
        return message

    def _finish(self, message, outcome):
        again = outcome in ("lost", "unavailable")
        self.put_off += outcome == "unavailable"
        if message.duplicate:
            self._duplicates_busy -= 1
            if again:
                self._due.append(message)
            return
        key = message.key
        self._busy[key] -= 1
        self._busy += collections.Counter()  # drops what has come to 0
        if again:
            self._queues[key].appendleft(message)
            return
        self.acknowledged += outcome == "acknowledged"
        self.refused += outcome == "refused"
        if not self._queues[key] and not self._busy[key]:
            del self._queues[key]
        if self._random.random() < self._manner.duplicate:
            self._duplicates.append(Message(message.id, message.method, key, message.params, message.body, duplicate=True))
        if self._duplicates and self._random.random() < self._manner.duplicate:
            self._due.append(self._duplicates.pop(self._random.randrange(len(self._duplicates))))

    def _attempt(self, connection, number, message, hangs_up):
        """(connection or None, outcome): acknowledged, refused, unavailable (told to come back), or lost (no answer)."""
        message.attempts += 1
        sent_ns = time.monotonic_ns()
        status, reply, failure = None, None, ""
        address = urllib.parse.urlsplit(self._endpoint["url"])
        try:
            if connection is None:
                connection = http.client.HTTPConnection(address.hostname, address.port, timeout=self._manner.timeout_s)
                connection.connect()
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.request("POST", address.path, message.body, self._headers(message.body))
            if hangs_up:
                raise OSError("the bus hangs up before the answer")
            response = connection.getresponse()
            raw = response.read()
            status = response.status
            reply = json.loads(raw)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failure = f"{type(error).__name__}: {error}"
            connection.close()
            connection = None
        outcome = self._outcome(status, reply, failure)
        if self._history is not None:
            self._history.add(
                "delivery", sent_ns=sent_ns, id=message.id, method=message.method, key=message.key, body=message.body.decode(),
                attempt=message.attempts, duplicate=message.duplicate, connection=number, status=status, reply=reply,
                failure=failure, outcome=outcome)
        return connection, outcome

    @staticmethod
    def _outcome(status, reply, failure):
        if failure:
            return "lost"
        if status >= 500 or status in (408, 429):
            return "unavailable"
        taken = status // 100 == 2 and isinstance(reply, dict) and reply.get("error") in (None, "")
        return "acknowledged" if taken else "refused"

    def _headers(self, body):
        headers = {"Content-Type": "application/json"}
        if self._endpoint["secret"]:
            headers["X-Signature"] = "sha1=" + hmac.new(self._endpoint["secret"].encode(), body, hashlib.sha1).hexdigest()
        return headers
