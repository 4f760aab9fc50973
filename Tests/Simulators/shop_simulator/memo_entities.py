"""Credit memos that a caller has calculated itself: POST /V1/creditmemo/refund takes the totals as they are given."""

from . import refund_amounts, refunding
from .errors import refused, required
from .invoicing import quantities_of
from .sides import sides
from .values import decimal


def refund(shop, entity, offline):
    """The credit memo. Given amounts, balance fields among them, replace the calculated ones."""
    if entity.get("order_id") is None:
        raise required("order_id")
    order = shop.sales.order(int(entity["order_id"]))
    invoice = shop.sales.invoice(int(entity["invoice_id"])) if entity.get("invoice_id") else None
    asked = quantities_of(entity.get("items"))
    for item in order.items:
        if asked.get(item.id, 0) > item.to_refund and not item.is_dummy:
            raise refused('We found an invalid quantity to refund item "%1".', item["name"])
    quantities = [(item, quantity) for item, quantity in refund_amounts.planned(order, asked or {0: 0}, invoice)
                  if quantity > 0]
    arguments = {"shipping_amount": entity.get("base_shipping_amount", entity.get("shipping_amount", 0)),
                 **{name: entity.get(f"base_{name}", entity.get(name))
                    for name in ("adjustment_positive", "adjustment_negative")}}
    memo = refund_amounts.calculated(order, quantities, arguments, invoice)
    for side in sides(order):
        for name in ("grand_total", "subtotal", "tax_amount", "customer_balance_amount"):
            if entity.get(side(name)) is not None:
                memo[side(name)] = decimal(entity[side(name)], name)
    for message in refunding.too_much(order, memo, invoice):
        raise refused(message)
    if not refunding.can_refund(order):
        raise refused("The order does not allow a creditmemo to be created.")
    back = (entity.get("extension_attributes") or {}).get("return_to_stock_items") or ()
    refunding.issue(order, memo, invoice, not offline and invoice is not None, set(map(int, back)))
    return memo
