"""The payment gateway behind the shop. It has a memory of its own: a failure in the shop doesn't undo what it has
done."""

from .values import plain

OPERATIONS = ("authorize", "capture", "refund", "void")


class GatewayError(Exception):
    """The gateway has refused, or the shop has failed after it."""


class Gateway:
    def __init__(self, shop):
        self._shop = shop
        self.ledger = []  # {operation, order, amount in base currency, transaction, at, refused}
        self._planned = []

    def plan(self, operation, times=1, after=False):
        """The next operations of that kind fail; `after`: the gateway carries them out, and then the shop fails
        (magento-rules §4: "Could not save an invoice" can come after the gateway captured)."""
        if operation not in OPERATIONS:
            raise ValueError(f"gateway: {operation!r} is not one of {', '.join(OPERATIONS)}")
        self._planned.append([operation, times, after])

    def clear(self):
        self._planned.clear()

    def ask(self, operation, order, amount):
        """The number of the gateway's transaction. GatewayError before anything in the shop has changed."""
        failure = self._take(operation)
        number = f"{operation}-{order['increment_id']}-{len(self.ledger) + 1}"
        self.ledger.append({"operation": operation, "order": order["increment_id"], "amount": amount,
                            "transaction": number,
                            "at": self._shop.clock.text(), "refused": failure is not None and not failure})
        if failure is not None:
            raise GatewayError(f"{operation} of {amount} for order {order['increment_id']}")
        return number

    def as_json(self):
        return plain(self.ledger)

    def _take(self, operation):
        """None: no failure; False: it fails before; True: after."""
        for planned in self._planned:
            if planned[0] == operation and planned[1] > 0:
                planned[1] -= 1
                return planned[2]
        return None
