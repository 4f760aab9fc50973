"""The e-mails that the shop would have sent."""

from collections import deque

KEPT = 10_000  # the oldest go first


class Mails:
    def __init__(self, shop):
        self._shop = shop
        self._sent = deque(maxlen=KEPT)

    def send(self, kind, order, document=None):
        """`kind`: order, invoice, shipment, creditmemo or comment."""
        self._sent.append({
            "kind": kind, "order": order["increment_id"], "to": order["customer_email"], "at": self._shop.clock.text(),
            "document": document and document["increment_id"]})

    def all(self):
        return list(self._sent)
