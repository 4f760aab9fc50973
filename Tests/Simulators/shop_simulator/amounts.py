"""The money of a line at checkout: on one side, exact (magento-rules §5).

row_total + tax_amount + discount_tax_compensation_amount + weee − discount_amount is what the line costs.
"""

from decimal import Decimal

from .values import ZERO, rounded


def line(price, quantity, rate, including_tax, discount, weee, digits):
    """Fields of an order item without prefix. `price`: of a unit, with tax when `including_tax`; `rate` in percent;
    `discount` of the whole row, of the price as it is given; `weee`: the fixed product tax of a unit, which is not
    taxed itself."""
    given = rounded(price * quantity, digits)
    discount = min(rounded(discount, digits), given)
    if including_tax:
        # The discount is on the price with tax. What it saves in tax is the compensation: row_total keeps its
        # undiscounted tax out.
        undiscounted = rounded(given * rate / (100 + rate), digits)
        tax = rounded((given - discount) * rate / (100 + rate), digits)
        row, row_with_tax, compensation = given - undiscounted, given, undiscounted - tax
        unit, unit_with_tax = price - rounded(price * rate / (100 + rate), digits), price
    else:
        tax = rounded((given - discount) * rate / 100, digits)
        row, compensation = given, ZERO
        row_with_tax = given + rounded(given * rate / 100, digits)
        unit, unit_with_tax = price, price + rounded(price * rate / 100, digits)
    return {
        "price": unit, "price_incl_tax": unit_with_tax, "original_price": price, "row_total": row,
        "row_total_incl_tax": row_with_tax,
        "tax_amount": tax, "discount_amount": discount, "discount_tax_compensation_amount": compensation,
        "weee_tax_applied_amount": weee, "weee_tax_applied_row_amount": rounded(weee * quantity, digits)}


def free():
    """The money of an item whose parent has the price."""
    return dict.fromkeys(line(ZERO, ZERO, ZERO, False, ZERO, ZERO, 2), ZERO)


def summed(lines, quantity, digits):
    """The money that a dynamic bundle shows: that of its children, once more."""
    result = free()
    for name in ("row_total", "row_total_incl_tax", "tax_amount"):
        result[name] = sum((one[name] for one in lines), ZERO)
    quantity = quantity or Decimal(1)
    result["price"] = result["original_price"] = rounded(result["row_total"] / quantity, digits)
    result["price_incl_tax"] = rounded(result["row_total_incl_tax"] / quantity, digits)
    return result


def shipping(amount, rate, including_tax, discount, digits):
    """Fields of the order for its shipping."""
    one = line(amount, Decimal(1), rate, including_tax, discount, ZERO, digits)
    return {
        "shipping_amount": one["row_total"], "shipping_tax_amount": one["tax_amount"],
        "shipping_incl_tax": one["row_total_incl_tax"], "shipping_discount_amount": one["discount_amount"],
        "shipping_discount_tax_compensation_amount": one["discount_tax_compensation_amount"]}
