"""What a test has left to check.

    oms.jsonl     by the OMS simulator: `delivery`, an attempt to deliver; `received`, a message from the connector
    test.jsonl    by the test: `run` with what the connector was told, `kill`, and `request`, a call that makes it send a message
    state.jsonl   what is stored after all has come to rest: rows of `stock`, `journal`, `inbox`, `outbox`
"""

import hashlib
import json
import os
from dataclasses import dataclass, field


@dataclass
class Run:
    deliveries: list = field(default_factory=list)
    received: list = field(default_factory=list)
    kills: list = field(default_factory=list)
    requests: list = field(default_factory=list)
    stock: dict = field(default_factory=dict)  # (aggregate, SKU) → quantity, None for unlimited
    journal: list = field(default_factory=list)  # in the order of id
    inbox: list = field(default_factory=list)  # in the order of id, that of the effects
    outbox: list = field(default_factory=list)
    patience_ns: int = 30_000_000_000  # how long the connector waits for an answer of the OMS

    @classmethod
    def read(cls, folder):
        run = cls()
        told = events(os.path.join(folder, "oms.jsonl")) + events(os.path.join(folder, "test.jsonl"))
        lists = {"delivery": run.deliveries, "received": run.received, "kill": run.kills, "request": run.requests}
        for event in sorted(told, key=lambda event: event["at_ns"]):
            if event["event"] == "run":
                run.patience_ns = int(event.get("patience_s", 30) * 1e9)
            elif event["event"] in lists:
                lists[event["event"]].append(event)
        for row in events(os.path.join(folder, "state.jsonl")):
            if row["table"] == "stock":
                run.stock[row["aggregate_id"], row["sku"]] = row["quantity"]
            else:
                getattr(run, row["table"]).append(row)
        for table in (run.journal, run.inbox, run.outbox):
            table.sort(key=lambda row: row["id"])
        return run


def events(path):
    """The lines of a file that is complete line by line; a cut last one does not count."""
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.endswith("\n")]


def canonical(value):
    """Equal for equal JSON values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def inbox_identity(*parts):
    """What an inbox calls something that is to have its effect once: SHA-256 over the parts, each after its length."""
    digest = hashlib.sha256()
    for part in parts:
        part = part if isinstance(part, bytes) else part.encode()
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
