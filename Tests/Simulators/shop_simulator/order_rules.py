"""What may be done with an order, and the state that it is in after it was saved (magento-rules §1–§3)."""

from .values import ZERO


def is_held(order):
    return order["state"] in ("holded", "payment_review")


def can_invoice(order):
    if is_held(order) or order["state"] in ("canceled", "complete", "closed"):
        return False
    return any(item.to_invoice > 0 for item in order.items)


def can_ship(order):
    if is_held(order) or order["is_virtual"] or order["state"] == "canceled":
        return False
    return any(item.to_ship > 0 and not item["is_virtual"] and item["qty_refunded"] != item["qty_ordered"]
               for item in order.items)


def can_cancel(order):
    if is_held(order) or order["state"] in ("canceled", "complete", "closed"):
        return False
    return any(item.to_invoice > 0 for item in order.items)


def can_refund(order):
    if is_held(order) or order["state"] in ("canceled", "closed"):
        return False
    paid, refunded = order.get("base_total_paid") or ZERO, order.get("base_total_refunded") or ZERO
    if not order["base_grand_total"] and not order.shop.settings.old:  # paid by gift cards and the like alone
        memos = order.shop.sales.creditmemos.of(order)
        return not can_invoice(order) and not memos
    return paid != refunded and paid - refunded != (order.get("base_adjustment_negative") or ZERO)


def resolve(order):
    """The state that invoices and credit memos ask for, before the save has its say."""
    if order["state"] == "canceled" or is_held(order) or can_invoice(order) or can_ship(order):
        return "processing" if order["state"] == "new" else order["state"]
    if not order["base_grand_total"] or can_refund(order):
        return "complete"
    if order.get("total_refunded"):
        return "closed"
    return "processing" if order["state"] == "new" else order["state"]


def save(order):
    """Every save corrects the state; a corrected state has its default status."""
    state = order["state"]
    (_save_old if order.shop.settings.old else _save_new)(order)
    if state != order["state"]:
        order.comment("")
    order.touch()


def _save_new(order):
    state = order["state"]
    if state == "canceled" or is_held(order) or can_invoice(order):
        return
    over = not can_refund(order) and not can_ship(order)
    if state in ("processing", "complete") and over and not order["is_virtual"]:
        order.set_state("closed")
    elif state == "processing" and (not can_ship(order) or _all_shipped_or_refunded(order)):
        order.set_state("complete")
    elif order["is_virtual"] and order["status"] == "closed":
        order["state"] = "closed"


def _save_old(order):
    state = order["state"]
    if state == "canceled" or is_held(order) or can_invoice(order) or can_ship(order):
        return
    if not order["base_grand_total"] or can_refund(order):
        if state != "complete":
            order.set_state("complete")
    elif order.get("total_refunded") and state != "closed":
        order.set_state("closed")


def _all_shipped_or_refunded(order):
    shipped = sum(int(item["qty_shipped"]) for item in order.items)
    refunded = sum(int(item["qty_refunded"]) for item in order.items if item["product_type"] == "simple")
    return shipped > 0 and order["total_qty_ordered"] <= shipped + refunded
