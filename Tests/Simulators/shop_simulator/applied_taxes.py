"""Which tax rate made which amount: the only place where an order tells the rate of its shipping."""

from .sides import sides
from .values import ZERO


def extension(order):
    """{applied_taxes, item_applied_taxes} as extension attributes."""
    found = [("product", item.id, item["tax_percent"], [item[side("tax_amount")] for side in sides(order)])
             for item in order.items if not item.is_dummy]
    found.append(("shipping", None, order.shipping_rate, [order[side("shipping_tax_amount")] for side in sides(order)]))
    found = [entry for entry in found if entry[2] and entry[3][0]]
    rates = {}
    for _, _, rate, amounts in found:
        so_far = rates.get(rate, (ZERO, ZERO))
        rates[rate] = tuple(a + b for a, b in zip(so_far, amounts))
    return {
        "applied_taxes": [_tax(rate, amounts) for rate, amounts in rates.items()],
        "item_applied_taxes": [
            {"type": kind, **({"item_id": number} if number else {}), "applied_taxes": [_tax(rate, amounts)]}
            for kind, number, rate, amounts in found]}


def _tax(rate, amounts):
    return {"code": f"Rate {rate}", "title": f"VAT {rate} %", "percent": rate, "amount": amounts[0],
            "base_amount": amounts[1],
            "extension_attributes": {"rates": [{"code": f"Rate {rate}", "title": f"VAT {rate} %", "percent": rate}]}}
