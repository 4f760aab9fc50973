"""Cancelling and holding (magento-rules §3)."""

from . import payments
from .gateway import GatewayError
from .errors import refused
from .order_rules import can_cancel, is_held, save
from .sides import sides
from .values import ZERO

# What is cancelled of an order: the whole less what is done.
SUMS = (("total_canceled", "grand_total", "total_paid"), ("subtotal_canceled", "subtotal", "subtotal_invoiced"),
        ("tax_canceled", "tax_amount", "tax_invoiced"), ("shipping_canceled", "shipping_amount", "shipping_invoiced"))


def cancel(order):
    """Cancels what is neither invoiced nor shipped, and voids what is left of the authorisation. False, and nothing
    done, when the order doesn't allow it.

    An item whose parent has the invoice and whose own side has the shipment, or the other way round, has a minimum of
    0: its quantities stay, though its stock comes back."""
    if not can_cancel(order):
        return False
    try:
        payments.void(order)
    except GatewayError:
        raise refused("The payment can't be voided.") from None
    state = "canceled"
    for item in order.items:
        if state != "processing" and item.to_refund:
            state = "processing" if item.to_ship > item.to_cancel else "complete"
    movements = _movements(order)
    for item in order.items:
        item["qty_canceled"] += item.to_cancel
    order.shop.stock.canceled(order, order.website, movements)
    for side in sides(order):
        for canceled, whole, done in SUMS:
            order[side(canceled)] = order[side(whole)] - (order.get(side(done)) or ZERO)
    order.set_state(state)
    order.comment("")
    save(order)
    return True


def hold(order):
    if is_held(order) or order["state"] in ("canceled", "complete", "closed"):
        raise refused("A hold action is not available.")
    order["hold_before_state"], order["hold_before_status"] = order["state"], order["status"]
    order.set_state("holded")
    order.touch()
    return True


def unhold(order):
    if order["state"] != "holded":
        raise refused("You cannot remove the hold.")
    order.set_state(order["hold_before_state"], order["hold_before_status"])
    order.touch()
    return True


def _movements(order):
    """What comes back on the shelf: ordered, and neither shipped nor invoiced nor cancelled before."""
    sums = {}
    for item in order.items:
        if not item.has_stock:
            continue
        counted, units = item, item["qty_ordered"]
        if item.parent is not None and not item.parent.ships_separately:
            if item.parent["product_type"] == "bundle":
                shipped = item.per_parent * item.parent["qty_shipped"]
                left = units - max(shipped, item["qty_invoiced"]) - item["qty_canceled"]
                sums[item.stock_sku()] = sums.get(item.stock_sku(), ZERO) + max(left, ZERO)
                continue
            counted = item.parent
        left = counted["qty_ordered"] - max(counted["qty_shipped"], counted["qty_invoiced"]) - counted["qty_canceled"]
        sums[item.stock_sku()] = sums.get(item.stock_sku(), ZERO) + max(left, ZERO)
    return [(sku, quantity) for sku, quantity in sums.items() if quantity]
