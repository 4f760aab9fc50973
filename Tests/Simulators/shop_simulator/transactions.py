"""The transactions that the shop knows of: the gateway may know others."""

from .entities import Entity

AUTHORIZATION, CAPTURE = "authorization", "capture"


class Transaction(Entity):
    pass


def record(order, kind, number, closed, parent=None):
    sales = order.shop.sales
    entity_id = sales.next("transaction")
    made = Transaction(order.shop, {
        "transaction_id": entity_id, "parent_id": parent and parent["transaction_id"], "order_id": order["entity_id"],
        "payment_id": order["entity_id"], "txn_id": number, "parent_txn_id": parent and parent["txn_id"],
        "txn_type": kind,
        "is_closed": int(closed), "additional_information": [], "child_transactions": []})
    sales.transactions.add(made, entity_id)
    return made


def find_open(order):
    """The authorisation that can still be captured from, or None."""
    for transaction in order.shop.sales.transactions.of(order):
        if transaction["txn_type"] == AUTHORIZATION and not transaction["is_closed"]:
            return transaction
    return None


def close(transaction):
    transaction["is_closed"] = 1
    transaction.touch()
