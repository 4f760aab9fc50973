"""What a credit memo comes to (magento-rules §3)."""

from .documents import SHIPPING_PARTS, Document
from .errors import refused
from .orders import TENDERS
from .sides import sides
from .values import ZERO, decimal, rounded

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
REFUNDED = 2  # state


def formatted(amount, side, currency):
    """An amount as messages show it."""
    text = f"{rounded(amount, side.places):,}"
    return SYMBOLS[currency] + text if currency in SYMBOLS else f"{currency} {text}"


def planned(order, asked, invoice=None):
    """[(item, quantity)]: what is named, or everything refundable when nothing is. Through an invoice: of its units,
    silently no more."""
    limits = None if invoice is None else invoice_limits(invoice)
    result = []
    for item in order.items:
        if limits is not None and item.id not in limits:
            continue
        if item.is_dummy:
            continue
        quantity = asked.get(item.id, ZERO) if asked else item.to_refund
        if limits is not None:
            quantity = min(quantity, limits[item.id])
        result.append((item, quantity))
    counted = {item.id: quantity for item, quantity in result}
    for item in order.items:
        if item.is_dummy and item.parent is not None and counted.get(item.parent.id):
            result.append((item, counted[item.parent.id] * item["qty_ordered"] / item.parent["qty_ordered"]))
        elif item.is_dummy and item.children:
            quantity = min((counted.get(child.id, ZERO) / child.per_parent for child in item.children), default=ZERO)
            result.append((item, quantity))
    return [(item, quantity) for item, quantity in result if quantity > 0 or (item.id in asked and not item.is_dummy)]


def invoice_limits(invoice):
    """{order item id: units of the invoice that are not refunded through it}"""
    limits = {line["order_item_id"]: line["qty"] for line in invoice.lines}
    for memo in invoice.shop.sales.creditmemos.of(invoice.order):
        if memo.get("invoice_id") == invoice["entity_id"]:
            for line in memo.lines:
                limits[line["order_item_id"]] -= line["qty"]
    return limits


def calculated(order, quantities, arguments, invoice=None):
    """The credit memo. `arguments`: {shipping_amount, adjustment_positive, adjustment_negative}, in base currency; an
    omitted shipping_amount is all that is left."""
    memo = Document(order, quantities, {
        "state": REFUNDED, "invoice_id": invoice and invoice["entity_id"], "creditmemo_status": None,
        "transaction_id": None})
    wanted = _shipping(order, arguments.get("shipping_amount"), invoice)
    for side in sides(order):
        sums = memo.take(side, 1, 2)
        shipping = {name: _part(order, side, parts, *wanted) for name, *parts in ((p[0], *p) for p in SHIPPING_PARTS)}
        plus, minus = (_adjustment(order, side, arguments.get(f"adjustment_{name}"))
                       for name in ("positive", "negative"))
        extra = (order.get(side("extra_invoiced")) or ZERO) - (order.get(side("extra_refunded")) or ZERO)
        extra_tax = (order.get(side("extra_tax_invoiced")) or ZERO) - (order.get(side("extra_tax_refunded")) or ZERO)
        tax = sums["tax_amount"] + shipping["shipping_tax_amount"] + extra_tax
        discount = sums["discount_amount"] + shipping["shipping_discount_amount"]
        total = (sums["row_total"] + tax + sums["discount_tax_compensation_amount"] - discount + extra
                 + sums["weee_tax_applied_row_amount"] + shipping["shipping_amount"]
                 + shipping["shipping_discount_tax_compensation_amount"] + plus - minus)
        for name, (invoiced, returned) in TENDERS.items():
            memo[side(name)] = max(min((order.get(side(invoiced)) or ZERO) - (order.get(side(returned)) or ZERO),
                                       total), ZERO)
            total -= memo[side(name)]
        memo.data.update({
            side("subtotal"): sums["row_total"], side("tax_amount"): tax, side("discount_amount"): -discount,
            side("discount_tax_compensation_amount"): sums["discount_tax_compensation_amount"],
            **{side(name): amount for name, amount in shipping.items()},
            side("shipping_incl_tax"): shipping["shipping_amount"] + shipping["shipping_tax_amount"],
            side("adjustment"): plus - minus, side("adjustment_positive"): plus, side("adjustment_negative"): minus,
            side("extra_amount"): extra, side("extra_tax"): extra_tax, side("grand_total"): total})
    return memo


def _shipping(order, asked, invoice):
    """(how much of the shipping to refund as a part of all, whether that is all that is left). ShopError when it is too
    much."""
    base = sides(order)[1]
    names = ["shipping_amount"] + ["shipping_tax_amount"] * order.shop.settings.shipping_shown_with_tax
    whole = sum((order[base(name)] for name in names), ZERO)
    left = whole - sum((order.get(base(done)) or ZERO for name, _, done in SHIPPING_PARTS if name in names), ZERO)
    if invoice is not None and not invoice[base("shipping_amount")]:
        left = ZERO  # another invoice holds it
    desired = left if asked is None else rounded(decimal(asked, "shipping_amount"), base.places)
    if desired > left:
        raise refused("Maximum shipping amount allowed to refund is: %1",
                      formatted(left, base, order["base_currency_code"]))
    return (desired / whole if whole else ZERO), desired == left and (invoice is None or left > 0)


def _part(order, side, names, ratio, rest):
    whole, _, done = names
    left = order[side(whole)] - (order.get(side(done)) or ZERO)
    return left if rest else min(rounded(order[side(whole)] * ratio, side.places), left)


def _adjustment(order, side, asked):
    amount = decimal(asked, "adjustment")
    return rounded(amount * (decimal(order["base_to_order_rate"]) if side.prefix == "" else 1), side.places)
