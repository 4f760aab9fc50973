"""From the connector to the OMS: every change that was acknowledged arrives, in order, again only after a lost answer."""

import collections
import json
import re

from .findings import Finding
from .run import canonical, inbox_identity

MARKER = re.compile(r"\breq-\d+\b")  # each request carries one of its own in its content
NOTIFY = "magento.common.error_management.notify"


class Message:
    """All receipts of one delivery id, and the journal's row about it."""

    def __init__(self, delivery_id):
        self.id = delivery_id
        self.receipts = []
        self.rows = []

    def __str__(self):
        return f"{self.id} ({self.marker or 'no request'})"

    @property
    def params(self):
        return self.receipts[0]["params"] if self.receipts else json.loads(self.rows[0]["body"])

    @property
    def method(self):
        return self.receipts[0]["method"] if self.receipts else self.rows[0]["method"]

    @property
    def marker(self):
        found = MARKER.search(canonical(self.params))
        return found.group() if found and self.method != NOTIFY else None

    @property
    def is_taken(self):
        return any(receipt["taken"] for receipt in self.receipts)

    @property
    def status(self):
        return self.rows[0]["status"] if self.rows else None


def check(run):
    messages = _messages(run)
    for message in messages.values():
        yield from _content(message)
        yield from _repeats(run, message)
        yield from _row(message)
    yield from _requests(run, messages)
    yield from _order_of_journal(messages)
    yield from _dead(messages)
    for row in run.outbox:
        refused = row.get("reason")
        what = f"outbox {row['id']}, {row['method']}: "
        yield Finding("lost" if refused else "stuck", what + (f"refused by the gateway: {refused}" if refused else "not handed over"))


def _messages(run):
    messages = {}
    for receipt in run.received:
        messages.setdefault(receipt["id"], Message(receipt["id"])).receipts.append(receipt)
    for row in run.journal:
        if row["direction"] == "OUTGOING":
            messages.setdefault(row["delivery_id"], Message(row["delivery_id"])).rows.append(row)
    for message in messages.values():
        message.receipts.sort(key=lambda receipt: receipt["received_ns"])
    return messages


def _content(message):
    contents = {canonical([receipt["method"], receipt["params"]]) for receipt in message.receipts}
    contents |= {canonical([row["method"], json.loads(row["body"])]) for row in message.rows}
    if len(contents) > 1:
        yield Finding("unlike", f"{message} was sent as {' and as '.join(sorted(contents))}")


def _repeats(run, message):
    """After an answer that has left in full and in time, only a kill of the gateway explains that it asks again."""
    for earlier, later in zip(message.receipts, message.receipts[1:]):
        in_time = earlier["answer_ns"] - earlier["received_ns"] < run.patience_ns
        if not (earlier["taken"] and earlier["whole"] and in_time) or _was_sent_before(later, earlier):
            continue
        killed = any(kill["process"] == "gateway" and earlier["received_ns"] <= kill["at_ns"] <= later["received_ns"]
                     for kill in run.kills)
        if not killed and not (message.rows and message.rows[0]["replay_count"]):
            seconds = (later["received_ns"] - earlier["received_ns"]) / 1e9
            yield Finding("repeated", f"{message} came again {seconds:.3f} s after it was taken and answered")


def _was_sent_before(later, earlier):
    """When a kept connection ends without a byte of the answer, the same attempt is made on another one at once, and the OMS
    may get round to what it had read from the first one afterwards. An attempt's traceparent is its own."""
    return not later["whole"] and _attempt(later) is not None and _attempt(later) == _attempt(earlier)


def _attempt(receipt):
    return receipt["headers"].get("traceparent")


def _row(message):
    if not message.rows:
        yield Finding("disagrees", f"{message} was received and is not in the journal")
        return
    if len(message.rows) > 1:
        yield Finding("doubled", f"{message} is in the journal as {', '.join(str(row['id']) for row in message.rows)}")
    row = message.rows[0]
    if row["status"] == "PENDING":
        yield Finding("stuck", f"{message}, journal {row['id']}: PENDING after {row['attempt_count']} attempts: {row['reason']}")
    if row["status"] == "SUCCESS" and not message.is_taken:
        yield Finding("lost", f"{message}, journal {row['id']}: SUCCESS, and the OMS has never taken it")
    if row["status"] == "DEAD" and not row["reason"]:
        yield Finding("disagrees", f"{message}, journal {row['id']}: DEAD without a reason")


def _requests(run, messages):
    """A request that was acknowledged is one message; one whose answer was lost is one at most; a refused one is none."""
    by_marker = collections.defaultdict(list)
    for message in messages.values():
        if message.marker:
            by_marker[message.marker].append(message)
    for marker in by_marker.keys() - {request["marker"] for request in run.requests}:
        yield Finding("invented", f"{by_marker[marker][0]}: nobody has asked for {marker}")
    for request in run.requests:
        found = by_marker[request["marker"]]
        what = f"{request['marker']} ({request['key']}, {request['outcome']})"
        if len(found) > 1:
            yield Finding("doubled", f"{what} became {', '.join(message.id for message in found)}")
        elif found and request["outcome"] == "refused":
            yield Finding("invented", f"{what} became {found[0].id}")
        elif not found and request["outcome"] == "acknowledged":
            yield Finding("lost", f"{what} became no message")
    yield from _notes(run)
    yield from _order_of_requests(run, by_marker)


def _notes(run):
    """A request with an id of its own leaves a note in the inbox."""
    notes = collections.Counter(note["identity"] for note in run.inbox if note["method"].startswith("/"))
    for request in run.requests:
        if "request_id" not in request:
            continue
        count = notes.pop(inbox_identity("request", request["request_id"], request["rpc"]), 0)
        if count > 1:
            yield Finding("doubled", f"{request['marker']} has {count} notes in the inbox")
        if count == 0 and request["outcome"] == "acknowledged":
            yield Finding("disagrees", f"{request['marker']} was acknowledged, and the inbox has no note of it")
    for identity in notes:
        yield Finding("invented", f"the inbox has the note {identity} of no request that was made")


def _order_of_requests(run, by_marker):
    """What was asked for after another request of its key was acknowledged arrives after it."""
    moments = collections.defaultdict(list)
    for request in run.requests:
        found = by_marker.get(request["marker"])
        if not found or not found[0].receipts:
            continue
        arrived = found[0].receipts[0]["received_ns"]
        moments[request["key"]].append((request["sent_ns"], 1, arrived, request["marker"]))
        if request["outcome"] == "acknowledged":
            moments[request["key"]].append((request["at_ns"], 0, arrived, request["marker"]))
    for key, of_key in moments.items():
        latest = (0, None)
        for _, is_asking, arrived, marker in sorted(of_key):
            if not is_asking:
                latest = max(latest, (arrived, marker))
            elif arrived < latest[0]:
                yield Finding("reordered", f"{key}: {marker} was asked for after {latest[1]} was acknowledged, and arrived first")


def _order_of_journal(messages):
    """The next of a key is sent when the one before it is taken or given up."""
    by_key = collections.defaultdict(list)
    for message in messages.values():
        if message.rows and message.rows[0]["key"] and not message.rows[0]["replay_count"]:
            row = message.rows[0]
            by_key[row["destination"], row["key"]].append((row["id"], message))
    for (_, key), of_key in by_key.items():
        settled, before = 0, None  # when the OMS began to answer that it takes the last of those so far
        for _, message in sorted(of_key, key=lambda each: each[0]):
            if message.receipts and message.receipts[0]["received_ns"] < settled:
                yield Finding("reordered", f"{key}: {message} was received before {before} was taken")
            taken = min((receipt["answer_ns"] for receipt in message.receipts if receipt["taken"]), default=0)
            if taken > settled:
                settled, before = taken, message


def _dead(messages):
    """Whoever is given up is reported."""
    reported = {canonical(message.params.get("delivery_id")) for message in messages.values() if message.method == NOTIFY}
    for message in messages.values():
        if message.status == "DEAD" and message.method != NOTIFY and canonical(message.id) not in reported:
            yield Finding("lost", f"{message} is DEAD, and no {NOTIFY} tells the OMS so")
