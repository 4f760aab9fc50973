"""Asynchronous calls: operations that the queue's consumer carries out one after the other, and what became of them."""

import hashlib
import queue
import threading
import uuid

from . import limits
from .dispatch import INTERNAL, Text
from .errors import ShopError, missing, required
from .routing import Call
from .values import dump

COMPLETE, RETRIABLE, REJECTED_FOR_GOOD, OPEN, REJECTED = 1, 2, 3, 4, 5
MAX_WAITING = 100_000  # operations
KEPT = 1_000  # bulks whose outcome can be asked for; the oldest go first


class Bulks:
    def __init__(self, shop):
        self._shop = shop
        self._bulks = {}
        self._waiting = queue.Queue(MAX_WAITING)
        self._ended = threading.Condition()
        self._running = True
        self._failures = 0
        threading.Thread(target=self._consume, daemon=True).start()

    def accept(self, route, call, many):
        """The answer 202. `many`: the body is a list of single bodies."""
        bodies = call.body if many else [call.body]
        if not isinstance(bodies, list):
            raise ShopError(400, "Request body should be an array for a bulk call.")
        if self._shop.settings.input_limits and len(bodies) > self._shop.settings.asynchronous_limit:
            raise ShopError(400, 'Maximum items of type "%type" is %max',
                            {"type": "operation", "max": self._shop.settings.asynchronous_limit})
        for body in bodies:
            limits.check(body, self._shop.settings, asynchronous=True)
        if self._waiting.qsize() + len(bodies) > MAX_WAITING:
            raise ShopError(500, INTERNAL % "queue-full")
        # A path without parameters of its own has them in each body.
        parameters = [call.parameters or _by_name(route, body) for body in bodies]
        name = str(uuid.uuid4())
        bulk = {"uuid": name, "start_time": self._shop.clock.text(),
                "topic": f"async.{route.pattern}.{route.verb.lower()}",
                "operations": []}
        with self._shop.lock:
            self._bulks[name] = bulk
            while len(self._bulks) > KEPT:
                del self._bulks[next(iter(self._bulks))]
            for number, body in enumerate(bodies):
                operation = {"id": number, "status": OPEN, "result_message": None, "error_code": None, "result": None,
                             "body": dump(body)}
                bulk["operations"].append(operation)
                single = Call(call.verb, call.path, parameters[number], call.query, body, call.store)
                self._waiting.put((route, single, operation))
        return {"bulk_uuid": name, "errors": False, "request_items": [
            {"id": o["id"], "data_hash": hashlib.sha256(o["body"].encode()).hexdigest(), "status": "accepted"}
            for o in bulk["operations"]]}

    def fail(self, times):
        """The next operations fail as for a locked table: status 2, to be sent again."""
        with self._shop.lock:
            self._failures = times

    def get(self, name):
        if name not in self._bulks:
            raise missing()
        return self._bulks[name]

    def all(self):
        return list(self._bulks.values())

    def wait(self, timeout_s):
        """Until no operation is open. TimeoutError after timeout_s."""
        with self._ended:
            if not self._ended.wait_for(lambda: not self._open(), timeout_s):
                raise TimeoutError(f"{self._open()} operations are open after {timeout_s} s")

    def wake(self):
        """The setting consumers_running has changed."""
        with self._ended:
            self._ended.notify_all()

    def close(self):
        with self._ended:
            self._running = False
            self._ended.notify_all()
        self._waiting.put(None)

    def _open(self):
        return sum(o["status"] == OPEN for bulk in self.all() for o in bulk["operations"])

    def _consume(self):
        while True:
            work = self._waiting.get()
            with self._ended:
                self._ended.wait_for(lambda: self._shop.settings.consumers_running or not self._running)
                if work is None or not self._running:
                    return
            self._carry_out(*work)
            with self._ended:
                self._ended.notify_all()

    def _carry_out(self, route, call, operation):
        with self._shop.lock:
            if self._failures:
                self._failures -= 1
                operation.update(error_code=1205, status=RETRIABLE,
                                 result_message="SQLSTATE[HY000]: General error: 1205 Lock wait timeout exceeded")
                return
        try:
            answer = self._shop.dispatch.carry_out(route, call)
        except ShopError as error:
            operation.update(error_code=error.status, status=REJECTED_FOR_GOOD, result_message=error.filled())
            return
        with self._shop.lock:
            operation.update(result=answer if isinstance(answer, Text) else dump(answer), error_code=None,
                             status=COMPLETE,
                             result_message="Service execution success")


def _by_name(route, body):
    """A bulk's path parameters are fields of its bodies: the product's SKU, the stock item's id."""
    flat = {}
    for name, value in (body or {}).items():
        flat.setdefault(_squashed(name), value)
        if isinstance(value, dict):
            for inner, more in value.items():
                flat.setdefault(_squashed(inner), more)
    wanted = [piece[1:] for piece in route.pieces if piece.startswith(":")]
    absent = [name for name in wanted if _squashed(name) not in flat]
    if absent:
        raise required(absent[0])
    return {name: str(flat[_squashed(name)]) for name in wanted}


def _squashed(name):
    return name.replace("_", "").lower()

