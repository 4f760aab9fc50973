"""What a service hands to the gateway for the OMS, and what the gateway's journal says of it."""

import json
import os
import sqlite3
import subprocess
from contextlib import closing

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from reflected import channel
from stack import ROOT

SERVICE = "omsconnector.internal.v1.DeliveryService"
STATUSES = {1: "PENDING", 2: "SUCCESS", 3: "IGNORED", 4: "ERROR", 5: "DEAD"}
ROUTES = {"remote": 1, "delegate": 2, "events": 3}
UPDATE = "magento.inventory.source_stock_management.update"


def _messages():
    """The service's messages, from its .proto: nothing internal is shown by the gateway's reflection."""
    compiled = subprocess.run(
        ["protoc", "-I", os.path.join(ROOT, "proto"), "--include_imports", "--descriptor_set_out=/dev/stdout",
         "omsconnector/internal/v1/delivery_service.proto"], check=True, capture_output=True)
    pool = descriptor_pool.DescriptorPool()
    for file in descriptor_pb2.FileDescriptorSet.FromString(compiled.stdout).file:
        pool.Add(file)
    names = ("EnqueueRequest", "EnqueueResponse", "CallRequest", "CallResponse")
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"omsconnector.internal.v1.{name}")) for name in names}


class DeliveryClient:
    """A service's end of the DeliveryService."""

    def __init__(self, target):
        self._messages = _messages()
        self._channel = channel(target)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._channel.close()

    def enqueue(self, delivery_id, params=None, method=UPDATE, key="", route="delegate", body=None, timeout=30):
        """The journal's number of the message."""
        given = {
            "delivery_id": delivery_id, "method": method, "key": key, "route": ROUTES.get(route, route),
            "body": json.dumps(params or {}).encode() if body is None else body,
        }
        return self._invoke("Enqueue", given, timeout).journal_id

    def call(self, method, params=None, timeout=30):
        """The result of the OMS."""
        answer = self._invoke("Call", {"method": method, "body": json.dumps(params or {}).encode()}, timeout)
        return json.loads(answer.result)

    def _invoke(self, method, fields, timeout):
        request, response = self._messages[f"{method}Request"], self._messages[f"{method}Response"]
        invoke = self._channel.unary_unary(f"/{SERVICE}/{method}", request.SerializeToString, response.FromString)
        return invoke(request(**fields), timeout=timeout)


def journal(stack, *delivery_ids):
    """The outgoing messages of the gateway's journal, all or those, as dicts in their order."""
    with closing(sqlite3.connect(f"file:{stack.state_dir}/data/gateway.sqlite?mode=ro", uri=True)) as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM journal WHERE direction = 2 ORDER BY id")]
    for row in rows:
        row["status"] = STATUSES[row["status"]]
    return [row for row in rows if not delivery_ids or row["delivery_id"] in delivery_ids]
