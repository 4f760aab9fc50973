"""Histories made by hand, for the tests of the checker: a run in order, to be broken in one place."""

import json

from checking.incoming import UPDATED, Message, identity
from checking.run import inbox_identity

ADJUST = "magento.inventory.source_stock_management.adjust"
RPC = "/omsconnector.v1.InventoryService/AdjustSourceStock"
CREATED = "2024-02-03T04:05:06+00:00"
STEP_NS = 1_000_000


class Story:
    """Builds the events and rows of a run; the lists are there to be changed."""

    def __init__(self):
        self.now = 0
        self.oms, self.test, self.stock, self.journal, self.inbox, self.outbox = [], [], [], [], [], []

    def tick(self):
        self.now += STEP_NS
        return self.now

    # From the OMS

    def sends(self, message_id, key="A", rows=(("S", 1),), outcome="acknowledged", duplicate=False, **changes):
        """One attempt; what it is answered is what the connector answers when all is well."""
        snapshot = {"aggregate_id": key, "mode": "DELTA", "created_on": CREATED,
                    "stock": [{"sku": sku, "quantity": quantity} for sku, quantity in rows], **changes}
        request = {"jsonrpc": "2.0", "id": message_id, "method": UPDATED, "params": {"snapshot": snapshot}}
        answered = outcome != "lost"
        event = {
            "event": "delivery", "sent_ns": self.tick(), "at_ns": self.tick(), "id": message_id, "method": UPDATED, "key": key,
            "body": json.dumps(request), "duplicate": duplicate, "status": 200 if answered else None,
            "reply": {"id": message_id, "result": True} if answered else None, "failure": "" if answered else "lost",
            "outcome": outcome}
        self.oms.append(event)
        return event

    def keeps(self, event, status="SUCCESS", reason="", replays=0):
        """The connector's row of it, its effect and the note about that."""
        row = {
            "table": "journal", "id": len(self.journal) + 1, "direction": "INCOMING", "status": status,
            "delivery_id": json.dumps(event["id"]), "method": event["method"], "key": event["key"], "destination": "inventory",
            "body": event["body"], "attempt_count": 1, "reason": reason, "replay_count": replays, "handled_by": ""}
        self.journal.append(row)
        request = json.loads(event["body"])
        if status == "SUCCESS":
            message = Message(event, request)
            for replay in range(replays + 1):
                self.inbox.append({"table": "inbox", "id": len(self.inbox) + 1, "identity": identity(message, replay),
                                   "method": event["method"]})
            for each in request["params"]["snapshot"]["stock"]:
                self.holds(event["key"], each["sku"], each["quantity"])
        return row

    def holds(self, aggregate_id, sku, quantity):
        for row in self.stock:
            if (row["aggregate_id"], row["sku"]) == (aggregate_id, sku):
                row["quantity"] = quantity
                return
        self.stock.append({"table": "stock", "aggregate_id": aggregate_id, "sku": sku, "quantity": quantity})

    # To the OMS

    def asks(self, number, key="W", outcome="acknowledged"):
        event = {"event": "request", "sent_ns": self.tick(), "at_ns": self.tick(), "marker": f"req-{number}", "key": key,
                 "outcome": outcome}
        self.test.append(event)
        return event

    def identifies(self, request, notes=1):
        """Gives a request an id of its own, and so many notes of it."""
        request.update(request_id=request["marker"], rpc=RPC)
        for _ in range(notes):
            self.inbox.append({"table": "inbox", "id": len(self.inbox) + 1, "method": RPC,
                               "identity": inbox_identity("request", request["request_id"], RPC)})

    def owes(self, number, key="W", status="SUCCESS", reason=""):
        """The connector's row of the message that the request has made."""
        row = {
            "table": "journal", "id": len(self.journal) + 1, "direction": "OUTGOING", "status": status,
            "delivery_id": f"inventory-1-{number}", "method": ADJUST, "key": key, "destination": "delegate",
            "body": json.dumps(self.adjustment(number, key)), "attempt_count": 1, "reason": reason, "replay_count": 0,
            "handled_by": ""}
        self.journal.append(row)
        return row

    def receives(self, number, key="W", taken=True, whole=True, attempt=None):
        """`attempt`: whoever has the same one is the same attempt; an attempt of its own without."""
        event = {
            "event": "received", "received_ns": self.tick(), "answer_ns": self.tick(), "at_ns": self.tick(),
            "id": f"inventory-1-{number}", "method": ADJUST, "params": self.adjustment(number, key),
            "headers": {"traceparent": attempt or f"attempt-{len(self.oms)}"},
            "status": 200 if taken else 500, "taken": taken, "whole": whole}
        self.oms.append(event)
        return event

    @staticmethod
    def adjustment(number, key):
        return {"adjustment": {"source_id": key, "reason": "count", "created_on": CREATED,
                               "adjustments": [{"sku": f"req-{number}", "quantity": -1}]}}

    def kills(self, process):
        self.test.append({"event": "kill", "at_ns": self.tick(), "process": process})

    def write(self, folder):
        for name, events in (("oms", self.oms), ("test", self.test),
                             ("state", self.stock + self.journal + self.inbox + self.outbox)):
            with open(f"{folder}/{name}.jsonl", "w", encoding="utf-8") as file:
                for event in events:
                    file.write(json.dumps(event) + "\n")
