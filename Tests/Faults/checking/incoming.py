"""From the OMS to the connector: acknowledged once, effective once, in order."""

import collections
import json

from .findings import Finding
from .run import canonical, inbox_identity
from .stock import UPDATED, Stock, is_valid


class Message:
    """All attempts to deliver one message, and the journal's rows about it."""

    def __init__(self, attempt, request):
        self.id, self.key, self.method, self.params = attempt["id"], attempt["key"], request["method"], request.get("params")
        self.attempts = []
        self.rows = []

    def __str__(self):
        return f"{self.id} ({self.key})"

    @property
    def expected(self):
        """The status that its row has to come to."""
        if self.method != UPDATED:
            return "IGNORED"
        return "SUCCESS" if is_valid(self.params) else "ERROR"

    def answered(self, *outcomes):
        return [attempt for attempt in self.attempts if attempt["outcome"] in outcomes]

    @property
    def effects(self):
        """Digests that the inbox has of it: one, and one for each replay."""
        return [identity(self, replay) for replay in range(self.rows[0]["replay_count"] + 1)]


def identity(message, replay):
    """Of a delivery."""
    body = json.dumps(message.params, separators=(",", ":"), ensure_ascii=False)
    return inbox_identity("delivery", json.dumps(message.id), message.method, str(replay), body)


def check(run):
    messages = _messages(run)
    yield from _rows(run, messages)
    for message in messages:
        yield from _answers(message)
        yield from _row(message)
    yield from _order(messages)
    yield from _effects(run, [message for message in messages if message.rows])


def _messages(run):
    """In the order in which they were first sent."""
    messages = {}
    for attempt in sorted(run.deliveries, key=lambda attempt: attempt["sent_ns"]):
        request = json.loads(attempt["body"])
        name = _name(request)
        if name not in messages:
            messages[name] = Message(attempt, request)
        messages[name].attempts.append(attempt)
    return list(messages.values())


def _name(request):
    """What makes two messages the same: id and content."""
    return canonical([request.get("id"), request.get("method"), request.get("params")])


def _rows(run, messages):
    """Finds each message its rows."""
    named = {_name({"id": m.id, "method": m.method, "params": m.params}): m for m in messages}
    for row in run.journal:
        if row["direction"] != "INCOMING":
            continue
        request = json.loads(row["body"])
        message = named.get(_name(request))
        if message is None:
            yield Finding("invented", f"journal {row['id']}, delivery {row['delivery_id']}: no such message was sent")
            continue
        message.rows.append(row)
        if json.loads(row["delivery_id"]) != message.id or row["method"] != message.method:
            yield Finding("disagrees", f"journal {row['id']} has {row['delivery_id']} {row['method']} for {message}")


def _answers(message):
    final = message.answered("acknowledged", "refused")
    if not final:
        yield Finding("stuck", f"{message}: none of {len(message.attempts)} attempts was answered")
        return
    replies = {canonical([(a["reply"] or {}).get("result"), (a["reply"] or {}).get("error")]) for a in final}
    if len(replies) > 1:
        yield Finding("unlike", f"{message} was answered {' and '.join(sorted(replies))}")


def _row(message):
    rows = message.rows
    if len(rows) > 1:
        yield Finding("doubled", f"{message} is in the journal as {', '.join(str(row['id']) for row in rows)}")
    if not rows:
        if message.answered("acknowledged"):
            yield Finding("lost", f"{message} was acknowledged and is not in the journal")
        return
    row = rows[0]
    if row["status"] == "PENDING":
        yield Finding("stuck", f"{message}, journal {row['id']}: PENDING after {row['attempt_count']} attempts: {row['reason']}")
    elif row["status"] != message.expected and not row["handled_by"]:
        what = f"{message}, journal {row['id']}: {row['status']} ({row['reason']}) in place of {message.expected}"
        yield Finding("lost" if message.expected == "SUCCESS" else "disagrees", what)
    elif row["status"] == "ERROR" and not row["reason"]:
        yield Finding("disagrees", f"{message}, journal {row['id']}: ERROR without a reason")


def _order(messages):
    """What was sent after another one of its key was acknowledged has to stand behind it in the journal."""
    by_key = collections.defaultdict(list)
    for message in messages:
        if message.rows:
            acknowledged = message.answered("acknowledged")
            by_key[message.key].append((message.attempts[0]["sent_ns"], 1, message))
            if acknowledged:
                by_key[message.key].append((min(a["at_ns"] for a in acknowledged), 0, message))
    for moments in by_key.values():
        last = None  # of those acknowledged so far, the one furthest behind in the journal
        for _, is_sending, message in sorted(moments, key=lambda moment: moment[:2]):
            if not is_sending:
                last = max((m for m in (last, message) if m), key=lambda m: m.rows[0]["id"])
            elif last is not None and message.rows[0]["id"] < last.rows[0]["id"]:
                yield Finding("reordered", f"{message}, journal {message.rows[0]['id']}, was sent after {last}, "
                                           f"journal {last.rows[0]['id']}, was acknowledged")


def _effects(run, messages):
    """The inbox has one note for each effect, in the order of the effects; the stock is what they make of it."""
    owners = {}
    for message in messages:
        for digest in message.effects:
            owners[digest] = message
    seen = collections.Counter()
    stock, latest = Stock(), {}
    for note in run.inbox:
        if note["method"].startswith("/"):
            continue  # of a request, see outgoing
        message = owners.get(note["identity"])
        if message is None:
            yield Finding("invented", f"inbox {note['id']}, {note['method']}: the note of no message that was sent")
            continue
        seen[note["identity"]] += 1
        stock.apply(message.params, message)
        is_replay = note["identity"] != message.effects[0]
        before = latest.get(message.key)
        if before is not None and not is_replay and message.rows[0]["id"] < before.rows[0]["id"]:
            yield Finding("reordered", f"{message}, journal {message.rows[0]['id']}, had its effect after {before}, "
                                       f"journal {before.rows[0]['id']}")
        elif not is_replay:
            latest[message.key] = message
    for message in messages:
        row = message.rows[0]
        first = seen[message.effects[0]]
        if row["status"] == "SUCCESS" and sum(seen[digest] for digest in message.effects) == 0:
            yield Finding("lost", f"{message}, journal {row['id']}: SUCCESS, and the inbox has no note of it")
        if row["status"] in ("ERROR", "IGNORED") and first:
            yield Finding("disagrees", f"{message}, journal {row['id']}: {row['status']}, and it has had its effect")
        if any(seen[digest] > 1 for digest in message.effects):
            yield Finding("doubled", f"{message}, journal {row['id']}: {first} notes in the inbox")
    for what, expected, held in stock.differences(run.stock):
        yield Finding("disagrees", f"stock {what}: {held} is held in place of {expected}")
