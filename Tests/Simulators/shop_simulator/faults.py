"""What goes wrong on demand: for a route, so many times.

    {"fault": "timeout", "path": "/V1/order/*/invoice", "times": 1}

| fault        | what the caller sees                                                                    |
|--------------|-----------------------------------------------------------------------------------------|
| timeout      | nothing, though the call was carried out (or not: "handled": false), until it goes away  |
| close, reset | the connection ends without an answer; "handled": true: after the call was carried out    |
| half         | half of the answer, the call was carried out                                             |
| report       | 500 with nothing but the id of a report; "handled": true: after the call was carried out  |
| maintenance  | 503 with a page for people                                                               |
| throttled    | 429, Retry-After when "retry_after" is given                                             |
| unauthorized | 401 as for a token that is not valid any more                                            |
| status       | that "status" with a message                                                            |
| slow         | the proper answer, "delay_s" later                                                       |

And rows that the shop can't handle: `break_rows("/V1/orders", 7)` fails each read of that route that holds the order, as one whose
payment module was taken out; by SKU, /V1/products each read and /V1/inventory/source-items each write that holds it, as with an
observer of another module that throws.
"""

import json
import secrets
import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase

from oms_simulator.faults import Fault, closing, half_an_answer, html, resetting

from .errors import ShopError, no_permission

TIMEOUT = "timeout"


@dataclass
class Planned:
    make: object  # () → Fault, or None for a delay only
    path: str
    verb: str | None
    times: int | None
    delay_s: float = 0.0


class Faults:
    """Which requests meet a fault. The path is that from /V1 on, with * for any piece."""

    def __init__(self):
        self._planned = []
        self._broken = {}  # path → keys of rows
        self._changed = threading.Condition()

    def plan(self, fault, path="*", times=1, verb=None, delay_s=0.0, **options):
        """`times`: None for every time until `clear`."""
        self.add({"fault": fault, "path": path, "times": times, "verb": verb, "delay_s": delay_s, **options})

    def add(self, asked):
        options = dict(asked)
        name, path, times, verb = (options.pop(k, d) for k, d in (("fault", None), ("path", "*"), ("times", 1),
                                                                  ("verb", None)))
        delay_s = float(options.pop("delay_s", 0) or 0)
        if name not in KINDS:
            raise ValueError(f"fault: {name!r} is not one of {', '.join(KINDS)}")
        make = KINDS[name]
        make(**options)  # a mistake is told now, not when it happens
        with self._changed:
            self._planned.append(Planned(lambda: make(**options), path, verb, times, delay_s))

    def break_rows(self, path, *keys):
        with self._changed:
            self._broken.setdefault(path, set()).update(keys)

    def mend_rows(self, path):
        with self._changed:
            self._broken.pop(path, None)

    def check_rows(self, path, keys):
        """Fails when one of the rows is broken."""
        with self._changed:
            broken = self._broken.get(path)
            if broken and not broken.isdisjoint(keys):
                raise ShopError(500, _REPORT % secrets.token_hex(7))

    def clear(self):
        with self._changed:
            self._planned.clear()
            self._changed.notify_all()

    @property
    def is_through(self):
        """Whether every fault with a number of times has happened so often."""
        with self._changed:
            return not any(planned.times for planned in self._planned)

    def take(self, verb, path):
        """The fault that this request is to meet, or None. Waits for as long as a slow shop takes."""
        with self._changed:
            for planned in self._planned:
                if planned.times == 0 or planned.verb not in (None, verb) or not fnmatchcase(path, planned.path):
                    continue
                if planned.times is not None:
                    planned.times -= 1
                if planned.delay_s:
                    self._changed.wait_for(lambda: planned not in self._planned, planned.delay_s)
                return planned.make()
        return None


def _json(kind, status, value, handled=False, **headers):
    return Fault(kind, status, {name.replace("_", "-"): str(v) for name, v in headers.items()},
                 json.dumps(value).encode(), handled)


_REPORT = "Internal Error. Details are available in Magento log file. Report ID: webapi-%s"


def _report(handled=False):
    return _json("report", 500, {"message": _REPORT % secrets.token_hex(7)}, handled)


def _throttled(retry_after=None):
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    return _json("throttled", 429, {"message": "Too Many Requests"}, **headers)


def _status(status, message="fault on demand", parameters=None):
    return _json(f"status {status}", status, {"message": message, **({"parameters": parameters} if parameters else {})})


def _timeout(handled=True):
    return Fault(TIMEOUT, handled=handled, wire="none")


KINDS = {
    TIMEOUT: _timeout,
    "close": lambda handled=False: closing(handled),
    "reset": lambda handled=False: resetting(handled),
    "half": half_an_answer,
    "report": _report,
    "maintenance": lambda: html(503),
    "throttled": _throttled,
    "unauthorized": lambda: _json("unauthorized", 401, no_permission("Magento_Backend::all").body()),
    "status": _status,
    "slow": lambda: None,
}
