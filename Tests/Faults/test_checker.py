"""A checker that can't fail proves nothing: it gets histories that are wrong in one place, and has to say where."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

from checking import Run, verdict
from crash_story import Story


def sound():
    """Three messages of a key from the OMS, three requests for it: an answer is lost, the gateway killed, a bus repeats."""
    story = Story()
    for number in (1, 2, 3):
        if number == 2:
            story.sends("d-2", rows=[("P1", 3), ("P2", 4)], outcome="lost")
        event = story.sends(f"d-{number}", rows=[(f"P{number - 1}", 2 * number - 1), (f"P{number}", 2 * number)])
        story.keeps(event)
    story.sends("d-1", rows=[("P0", 1), ("P1", 2)], duplicate=True)
    for number in (1, 2, 3):
        request = story.asks(number)
        story.owes(number)
        if number == 1:
            story.identifies(request)
    story.receives(1, taken=False)
    story.receives(1, whole=False)
    story.receives(1)
    story.receives(2)
    story.kills("gateway")
    story.receives(2)
    story.receives(3)
    return story


def rules(story):
    """The rules that the story breaks."""
    with tempfile.TemporaryDirectory() as folder:
        story.write(folder)
        return {finding.rule for finding in verdict(Run.read(folder))}


class Sound(unittest.TestCase):
    def test_run_in_order_has_no_findings(self):
        self.assertEqual(rules(sound()), set())

    def test_poisonous_and_unknown_messages_need_no_effect(self):
        story = sound()
        story.keeps(story.sends("d-4", mode="PARTIAL"), status="ERROR", reason='mode "PARTIAL" is not one of …')
        event = story.sends("d-5", outcome="refused")
        event["body"] = event["body"].replace("aggregate_stock_management", "nobody")
        event["method"] = json.loads(event["body"])["method"]
        story.keeps(event, status="IGNORED")
        self.assertEqual(rules(story), set())

    def test_messages_of_a_key_that_are_sent_at_once_may_come_in_any_order(self):
        story = Story()
        first, second = story.sends("d-1", rows=[("S", 1)]), story.sends("d-2", rows=[("S", 2)])
        second["sent_ns"] = first["sent_ns"]
        story.keeps(second)
        story.keeps(first)
        self.assertEqual(rules(story), set())

    def test_request_without_an_answer_may_have_become_a_message_or_not(self):
        story = sound()
        story.asks(4, outcome="unknown")
        story.asks(5, outcome="unknown")
        story.owes(5)
        story.receives(5)
        self.assertEqual(rules(story), set())

    def test_message_that_is_given_up_counts_when_it_is_reported(self):
        story = sound()
        story.asks(4)
        story.owes(4, status="DEAD", reason="48 hours")
        row = story.owes(5)
        row.update(method="magento.common.error_management.notify", key="",
                   body=json.dumps({"topic": "t", "message": "m", "delivery_id": "inventory-1-4", "payload": "req-4"}))
        receipt = story.receives(5)
        receipt.update(method=row["method"], params=json.loads(row["body"]))
        self.assertEqual(rules(story), set())

    def test_answer_that_comes_too_late_is_lost(self):
        story = sound()
        late = story.receives(3)  # once more
        late["answer_ns"] = late["received_ns"] + 31_000_000_000
        story.oms[-2]["answer_ns"] = story.oms[-2]["received_ns"] + 31_000_000_000
        self.assertEqual(rules(story), set())

    def test_attempt_whose_connection_ended_may_be_seen_after_its_answer_on_another(self):
        story = sound()
        story.asks(4)
        story.owes(4)
        story.receives(4, attempt="a")
        story.receives(4, attempt="a", whole=False)
        self.assertEqual(rules(story), set())

    def test_replay_has_its_effect_again(self):
        story = Story()
        story.keeps(story.sends("d-1"), replays=1)
        self.assertEqual(rules(story), set())


def without(rows, **fields):
    """Takes the one row out that has these fields."""
    found = [row for row in rows if all(row.get(name) == value for name, value in fields.items())]
    assert len(found) == 1, (fields, found)
    rows.remove(found[0])


def changed(rows, which, **fields):
    rows[which].update(fields)


def exchange(rows, one, other, field="id"):
    rows[one][field], rows[other][field] = rows[other][field], rows[one][field]


# What is broken, how, and the rules that have to say so, among others.
BROKEN = [
    ("acknowledged message without a row", lambda s: without(s.journal, delivery_id='"d-2"'), {"lost"}),
    ("message with two rows", lambda s: s.journal.append({**s.journal[1], "id": 99}), {"doubled"}),
    ("row of a message that nobody sent", lambda s: s.journal.append({**s.journal[1], "id": 99, "body": "{}"}), {"invented"}),
    ("row that calls its delivery otherwise", lambda s: changed(s.journal, 1, delivery_id='"d-7"'), {"disagrees"}),
    ("message that is never answered", lambda s: s.sends("d-9", outcome="lost"), {"stuck"}),
    ("row that waits for ever", lambda s: changed(s.journal, 1, status="PENDING"), {"stuck"}),
    ("good message that ends as an error", lambda s: changed(s.journal, 1, status="ERROR", reason="x"), {"lost", "disagrees"}),
    ("bad message that ends as a success", lambda s: s.keeps(s.sends("d-4", mode="PARTIAL")), {"disagrees"}),
    ("error without a reason", lambda s: s.keeps(s.sends("d-4", mode="PARTIAL"), status="ERROR"), {"disagrees"}),
    ("duplicate that is answered otherwise", lambda s: changed(s.oms, 4, reply={"id": "d-1", "result": False}), {"unlike"}),
    ("success without an effect", lambda s: s.inbox.pop(1), {"lost"}),
    ("effect twice", lambda s: s.inbox.append({**s.inbox[0], "id": 99}), {"doubled"}),
    ("effect that nobody asked for", lambda s: s.inbox.append({**s.inbox[0], "id": 99, "identity": "00"}), {"invented"}),
    ("rows of a key in the wrong order", lambda s: exchange(s.journal, 0, 1), {"reordered"}),
    ("effects of a key in the wrong order", lambda s: exchange(s.inbox, 0, 1), {"reordered", "disagrees"}),
    ("stock that lacks a message", lambda s: s.holds("A", "P1", 2), {"disagrees"}),
    ("stock that an earlier message has overwritten", lambda s: s.holds("A", "P2", 4), {"disagrees"}),
    ("row of stock that is missing", lambda s: without(s.stock, sku="P3"), {"disagrees"}),
    ("row of stock that nobody has written", lambda s: s.holds("A", "P9", 1), {"disagrees"}),
    ("request that became no message", lambda s: s.asks(9), {"lost"}),
    ("request that became two", lambda s: (s.owes(3).update(delivery_id="other"), s.receives(3).update(id="other")), {"doubled"}),
    ("request with an id and without a note", lambda s: s.identifies(s.test[1], notes=0), {"disagrees"}),
    ("request with an id and two notes", lambda s: s.identifies(s.test[1], notes=2), {"doubled"}),
    ("note of a request that nobody made", lambda s: s.inbox.append({**s.inbox[-1], "id": 99, "identity": "00"}), {"invented"}),
    ("message that nobody asked for", lambda s: (s.owes(9), s.receives(9)), {"invented"}),
    ("refused request that became a message", lambda s: changed(s.test, 0, outcome="refused"), {"invented"}),
    ("message that comes again without a reason", lambda s: s.receives(3), {"repeated"}),
    ("attempt that is answered twice", lambda s: (s.asks(4), s.owes(4), [s.receives(4, attempt="a") for _ in "12"]), {"repeated"}),
    ("message that is tried again on a connection that ends", lambda s: s.receives(3, whole=False), {"repeated"}),
    ("message that comes again after another process's end", lambda s: (s.kills("inventory-1"), s.receives(3)), {"repeated"}),
    ("message that comes again with other content", lambda s: changed(s.oms, 5, params=Story.adjustment(2, "W")), {"unlike"}),
    ("message that the gateway refuses", lambda s: s.outbox.append({"table": "outbox", "id": 1, "method": "m", "reason": "r"}), {"lost"}),
    ("message that is not in the journal", lambda s: without(s.journal, delivery_id="inventory-1-2"), {"disagrees"}),
    ("delivered by the journal, never taken by the OMS", lambda s: changed(s.oms, -1, taken=False, status=500), {"lost"}),
    ("message that waits for ever", lambda s: changed(s.journal, -1, status="PENDING"), {"stuck"}),
    ("message that is given up and not reported", lambda s: (s.asks(4), s.owes(4, status="DEAD", reason="x")), {"lost"}),
    ("row of the outbox that stays", lambda s: s.outbox.append({"table": "outbox", "id": 1, "method": "m"}), {"stuck"}),
    ("requests of a key in the wrong order", lambda s: exchange(s.oms, 8, -1, "received_ns"), {"reordered"}),
    ("message that comes before the one before it is taken", lambda s: changed(s.oms, 8, received_ns=1), {"reordered"}),
]


class Broken(unittest.TestCase):
    def test_what_is_wrong_is_found(self):
        for what, spoil, expected in BROKEN:
            with self.subTest(what):
                story = sound()
                spoil(story)
                found = rules(story)
                self.assertLessEqual(expected, found)

    def test_findings_decide_the_exit_status(self):
        check = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check")
        for spoil, status, words in [
            (lambda story: None, 0, "in order"),
            (lambda story: without(story.journal, delivery_id='"d-2"'), 1, "LOST"),
        ]:
            story = sound()
            spoil(story)
            with self.subTest(words), tempfile.TemporaryDirectory() as folder:
                story.write(folder)
                done = subprocess.run([sys.executable, check, folder], capture_output=True, text=True)
                self.assertIn(words, done.stdout)
                self.assertEqual(done.returncode, status)

    def test_folder_without_histories_is_no_verdict(self):
        check = os.path.join(os.path.dirname(os.path.abspath(__file__)), "check")
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(subprocess.run([sys.executable, check, folder], capture_output=True).returncode, 2)


if __name__ == "__main__":
    unittest.main()
