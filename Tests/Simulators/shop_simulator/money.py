"""The totals of an order, and what pays for it besides its payment method (magento-rules §5)."""

from .orders import TENDERS
from .sides import sides
from .values import ZERO, decimal, rounded

SHIPPING = ("shipping_amount", "shipping_tax_amount", "shipping_discount_tax_compensation_amount")


def charges(order, asked):
    """Gift wrap and what other modules charge: part of the grand total and of no line."""
    wrap = asked.get("gift_wrap")
    for side in sides(order):
        net = [rounded(_on(order, side, amount), side.places) for amount in (asked.get("charges") or {}).values()]
        for code, amount in zip(asked.get("charges") or {}, net):
            order.extension[side(code)] = amount
        taxes = ZERO
        if wrap:
            price, taxes = (rounded(_on(order, side, wrap.get(name)), side.places) for name in ("price", "tax"))
            names = ("gw_price", "gw_tax_amount", "gw_price_incl_tax") if side.prefix == "" else \
                ("gw_base_price", "gw_base_tax_amount", "gw_base_price_incl_tax")
            order.extension.update(zip(names, (price, taxes, price + taxes)))
            net.append(price)
        order[side("extra_amount")], order[side("extra_tax")] = sum(net, ZERO), taxes
    if wrap:
        order.extension["gw_id"] = str(wrap.get("id", 1))


def totals(order):
    """All sums over the items, the shipping and the charges; nothing is paid or invoiced yet."""
    top = [item for item in order.items if item.parent is None]
    order["total_item_count"], order["total_qty_ordered"] = len(top), sum(item["qty_ordered"] for item in top)
    order["weight"] = sum((item["row_weight"] for item in order.items if item.has_stock), ZERO)
    for side in sides(order):
        def total(name, side=side):
            return sum((item[side(name)] for item in order.items if not item.is_dummy), ZERO)

        order[side("subtotal")], order[side("subtotal_incl_tax")] = total("row_total"), total("row_total_incl_tax")
        order[side("discount_amount")] = -(total("discount_amount") + order[side("shipping_discount_amount")])
        order[side("discount_tax_compensation_amount")] = total("discount_tax_compensation_amount")
        order[side("tax_amount")] = total("tax_amount") + order[side("shipping_tax_amount")] + order[side("extra_tax")]
        order[side("grand_total")] = (
            order[side("subtotal")] + order[side("tax_amount")] + order[side("discount_tax_compensation_amount")]
            + order[side("discount_amount")] + order[side("shipping_amount")]
            + order[side("shipping_discount_tax_compensation_amount")] + total("weee_tax_applied_row_amount")
            + order[side("extra_amount")])


def tenders(order, asked):
    """Gift cards, customer balance and reward points, each as far as something is left to pay."""
    cards = asked.get("gift_cards") or []
    reward = asked.get("reward") or {}
    wanted = {
        "gift_cards_amount": sum((decimal(card["amount"]) for card in cards), ZERO),
        "customer_balance_amount": decimal(asked.get("customer_balance")),
        "reward_currency_amount": decimal(reward.get("amount"))}
    order.tenders = [name for name, amount in wanted.items() if amount]
    base = {}
    for side in reversed(sides(order)):
        for name, amount in wanted.items():
            left = order[side("grand_total")]
            used = min(rounded(_on(order, side, amount), side.places), left)
            if side.prefix == "":  # what is fully paid in base currency is so in the other
                used = left if base[name] and not order["base_grand_total"] and name == _last(base) else used
            else:
                base[name] = used
            order[side(name)] = used
            order[side("grand_total")] -= used
            for field in TENDERS[name]:
                order[side(field)] = ZERO
        order[side("total_due")] = order[side("grand_total")]
    if cards:
        order.extension["gift_cards"] = [
            {"id": n, "code": card["code"], "amount": _on(order, sides(order)[0], card["amount"]),
             "base_amount": decimal(card["amount"])} for n, card in enumerate(cards, 1)]
    if reward:
        order.extension["reward_points_balance"] = reward["points"]


def _on(order, side, amount):
    """An amount of the base currency on that side."""
    return decimal(amount) * (decimal(order["base_to_order_rate"]) if side.prefix == "" else 1)


def _last(base):
    return [name for name, used in base.items() if used][-1]
