"""Every amount of an order is there twice: in the currency of the order, and in the shop's base currency."""

from dataclasses import dataclass

from .values import places

# Columns that Magento had to abbreviate.
ABBREVIATED = {
    "base_weee_tax_applied_row_amount": "base_weee_tax_applied_row_amnt",
    "base_rwrd_currency_amount_invoiced": "base_rwrd_crrncy_amt_invoiced",
    "base_rwrd_crrncy_amnt_refunded": "base_rwrd_crrncy_amnt_refnded",
}


@dataclass(frozen=True)
class Side:
    prefix: str
    places: int

    def __call__(self, name):
        """The field's name on this side."""
        full = self.prefix + name
        return ABBREVIATED.get(full, full)


def sides(order):
    return Side("", places(order["order_currency_code"])), Side("base_", places(order["base_currency_code"]))
