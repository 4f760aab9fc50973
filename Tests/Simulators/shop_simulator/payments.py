"""An order's payment: what happens to it at checkout, at captures, voids and refunds (magento-rules §1)."""

from .sides import sides
from .transactions import AUTHORIZATION, CAPTURE, close, find_open, record
from .values import ZERO


def begin(order, method, asked):
    """The payment of a new order; nothing has happened yet."""
    extra = asked.get("payment_data") or {}
    order["payment"] = {
        "entity_id": order["entity_id"], "parent_id": order["entity_id"], "method": method, "account_status": None,
        "additional_information": extra.get("additional_information", [method]), "cc_last4": extra.get("cc_last_4"),
        "cc_last_4": extra.get("cc_last_4"), "cc_type": extra.get("cc_type"), "last_trans_id": None,
        "amount_ordered": order["grand_total"], "base_amount_ordered": order["base_grand_total"],
        "shipping_amount": order["shipping_amount"], "base_shipping_amount": order["base_shipping_amount"]}
    order.payment_info = extra.get("info") or {}
    order.set_state("new")


def authorize(order):
    """Reserves the order's money at the gateway. GatewayError when it refuses."""
    transaction = order.shop.gateway.ask("authorize", order, order["base_grand_total"])
    record(order, AUTHORIZATION, transaction, closed=False)
    for side in sides(order):
        order.payment[side("amount_authorized")] = order[side("grand_total")]
    order.payment["last_trans_id"] = transaction


def can_capture(order):
    """Whether a capture would reach the gateway: not with a closed authorisation."""
    authorized = [t for t in order.shop.sales.transactions.of(order) if t["txn_type"] == AUTHORIZATION]
    return order.method.can_capture and (not authorized or not authorized[-1]["is_closed"])


def capture(order, invoice):
    """Gets the invoice's money. GatewayError when the gateway refuses."""
    parent = find_open(order)
    transaction = order.shop.gateway.ask("capture", order, invoice["base_grand_total"])
    record(order, CAPTURE, transaction, closed=True, parent=parent)
    invoice["transaction_id"] = order.payment["last_trans_id"] = transaction
    captured = order.payment.get("base_amount_paid_online", ZERO) + invoice["base_grand_total"]
    order.payment["base_amount_paid_online"] = captured
    # A gateway that captures once only releases the rest; the others keep the authorisation until all of it is used.
    if parent and (not order.method.can_capture_partial or captured >= order["base_grand_total"]):
        close(parent)


def pay(order, invoice):
    """Marks the invoice as paid, whether money has come or not."""
    invoice["state"] = 2
    for side in sides(order):
        amount = invoice[side("grand_total")]
        order.add(side("total_paid"), amount)
        order[side("total_due")] = order[side("grand_total")] - order[side("total_paid")]
        for name, more in (("amount_paid", amount), ("shipping_captured", invoice[side("shipping_amount")])):
            order.payment[side(name)] = order.payment.get(side(name), ZERO) + more


def void(order):
    """Gives back what is left of the authorisation."""
    parent = find_open(order)
    if parent is not None and order.method.can_void:
        transaction = order.shop.gateway.ask("void", order, ZERO)
        record(order, "void", transaction, closed=True, parent=parent)
        close(parent)
