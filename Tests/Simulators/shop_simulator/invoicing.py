"""Invoices (magento-rules §1)."""

from . import payments
from .documents import SHIPPING_PARTS, Document, number
from .errors import invalid, refused
from .gateway import GatewayError
from .order_rules import is_held, resolve, save
from .orders import TENDERS
from .sides import sides
from .values import ZERO, decimal

FAILED = "Could not save an invoice, see error log for details"
OPEN, PAID, CANCELED = 1, 2, 3


def quantities_of(items, name="qty"):
    """{order item id: quantity} of what a call names."""
    named = {}
    for entry in items or ():
        key = int(decimal(entry.get("order_item_id"), "order_item_id"))
        named[key] = named.get(key, ZERO) + decimal(entry.get(name), name)
    return named


def invoice(order, asked, capture):
    """Makes, pays and books an invoice. `asked`: {order item id: quantity}; none: everything that is left. ShopError
    when it can't."""
    document = _calculated(order, asked)
    number(document, "invoice")
    if payments.can_capture(order):
        if capture:
            payments.capture(order, document)
        payments.pay(order, document)
    elif not order.method.gateway or capture:
        payments.pay(order, document)  # with a closed authorisation too: paid, and no money came
    for item, quantity in document.quantities:
        item["qty_invoiced"] += quantity
    order.shop.stock.invoiced(order, order.website, [
        (item.stock_sku(), quantity) for item, quantity in document.quantities if item["is_virtual"] and item.has_stock])
    for side in sides(order):
        document.book(side, 1)
    order.shop.sales.invoices.add(document, document["entity_id"])
    document.touch()
    return document


def request(order, items, capture, notify=False, comment=None):
    """POST /V1/order/:id/invoice. Returns the invoice."""
    settings = order.shop.settings
    asked = quantities_of(items)
    if is_held(order) or order["state"] in ("canceled", "complete", "closed"):
        raise invalid("Invoice", [f"An invoice cannot be created when an order has a status of {order['status']}"])
    if asked.keys() - {item.id for item in order.items}:
        raise invalid("Invoice", ["The invoice contains one or more items that are not part of the original order."])
    if not any(quantity > 0 for _, quantity in planned(order, asked)):
        raise invalid("Invoice", ["You can't create an invoice without products." if settings.old else
                                  "The invoice can't be created without products. Add products and try again."])
    try:
        document = invoice(order, asked, capture)
    except GatewayError:
        raise refused(FAILED) from None
    # The state is asked for, and its default status with it: an own status is gone (magento-rules §1).
    order.set_state(resolve(order))
    if comment and comment.get("comment"):
        document.comment(comment["comment"], int(bool(notify)), int(bool(comment.get("is_visible_on_front"))))
    save(order)
    if notify:
        order.shop.mails.send("invoice", order, document)
    return document


def planned(order, asked):
    """[(item, quantity)]: what a call that names these quantities invoices. ShopError when one is too many."""
    asked = _other_side(order, asked)
    result = []
    for item in order.items:
        if item.id in asked and not item.is_dummy:
            quantity = asked[item.id]
            if quantity > item.to_invoice or quantity < 0:
                raise refused('We found an invalid quantity to invoice item "%1".', item["name"])
        elif item.is_dummy:
            continue
        else:
            quantity = ZERO if asked else item.to_invoice
        if quantity > 0:
            result.append((item, quantity))
    return result + _dummies(order, dict((item.id, quantity) for item, quantity in result))


def _other_side(order, asked):
    """Naming the side of a parent and its children that has no price means all that is left on the other."""
    asked = dict(asked)
    for item in order.items:
        if item.id not in asked or not item.is_dummy:
            continue
        for other in item.children or [item.parent]:
            asked.setdefault(other.id, other.to_invoice)
    return asked


def _dummies(order, counted):
    """The sides without a price go along, with their part of the units."""
    result = []
    for item in order.items:
        if not item.is_dummy:
            continue
        if item.parent is not None:
            quantity = counted.get(item.parent.id, ZERO) * item["qty_ordered"] / item.parent["qty_ordered"]
        else:
            quantity = min((counted.get(c.id, ZERO) / c.per_parent for c in item.children), default=ZERO)
        if quantity > 0:
            result.append((item, quantity))
    return result


def _calculated(order, asked):
    quantities = planned(order, asked)
    document = Document(order, quantities, {"state": OPEN, "transaction_id": None})
    document["total_qty"] = sum((quantity for item, quantity in quantities if not item.is_dummy), ZERO)
    first = not any(i["state"] != CANCELED for i in order.shop.sales.invoices.of(order))
    for side in sides(order):
        sums = document.take(side, 0, 1)
        # All shipping and all charges are on the first invoice, even on a virtual one.
        shipping = {name: order[side(name)] if first else ZERO for name, _, _ in SHIPPING_PARTS}
        extra, extra_tax = (order[side(name)] if first else ZERO for name in ("extra_amount", "extra_tax"))
        tax = sums["tax_amount"] + shipping["shipping_tax_amount"] + extra_tax
        discount = sums["discount_amount"] + shipping["shipping_discount_amount"]
        total = (sums["row_total"] + tax + sums["discount_tax_compensation_amount"] - discount + extra
                 + sums["weee_tax_applied_row_amount"] + shipping["shipping_amount"]
                 + shipping["shipping_discount_tax_compensation_amount"])
        for name, (invoiced, _) in TENDERS.items():
            document[side(name)] = max(min(order[side(name)] - order[side(invoiced)], total), ZERO)
            total -= document[side(name)]
        document.data.update({
            side("subtotal"): sums["row_total"], side("tax_amount"): tax, side("discount_amount"): -discount,
            side("discount_tax_compensation_amount"): sums["discount_tax_compensation_amount"],
            **{side(name): amount for name, amount in shipping.items()},
            side("shipping_incl_tax"): order[side("shipping_incl_tax")] if first else ZERO,
            side("extra_amount"): extra, side("extra_tax"): extra_tax, side("grand_total"): total})
    return document
