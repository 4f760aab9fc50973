"""Invoices and credit memos: what a quantity of each item amounts to."""

from .entities import Remarked
from .orders import TENDERS
from .values import ZERO, share

# Of an order item: the amount, what of it is invoiced, what is refunded.
PARTS = (
    ("row_total", "row_invoiced", "amount_refunded"),
    ("tax_amount", "tax_invoiced", "tax_refunded"),
    ("discount_amount", "discount_invoiced", "discount_refunded"),
    ("discount_tax_compensation_amount", "discount_tax_compensation_invoiced", "discount_tax_compensation_refunded"),
    ("weee_tax_applied_row_amount", "weee_invoiced", "weee_refunded"),
)
# Of an order's shipping: the amount, invoiced, refunded.
SHIPPING_PARTS = (
    ("shipping_amount", "shipping_invoiced", "shipping_refunded"),
    ("shipping_tax_amount", "shipping_tax_invoiced", "shipping_tax_refunded"),
    ("shipping_discount_amount", "shipping_discount_invoiced", "shipping_discount_refunded"),
    ("shipping_discount_tax_compensation_amount", "shipping_compensation_invoiced", "shipping_compensation_refunded"),
)
# Of a document: the amount, and what it is called among the sums of the order.
TOTALS = {
    "subtotal": "subtotal", "tax_amount": "tax", "discount_amount": "discount", "grand_total": "total",
    "discount_tax_compensation_amount": "discount_tax_compensation", "extra_amount": "extra", "extra_tax": "extra_tax"}


class Document(Remarked):
    """An invoice or a credit memo, calculated but not booked."""

    def __init__(self, order, quantities, data):
        """`quantities`: [(order item, quantity)]"""
        super().__init__(order.shop, {
            "order_id": order["entity_id"], "store_id": order["store_id"],
            "order_currency_code": order["order_currency_code"],
            "base_currency_code": order["base_currency_code"], "base_to_order_rate": order["base_to_order_rate"],
            "billing_address_id": order["billing_address_id"], **data})
        self.order, self.quantities = order, quantities
        self.lines = [{
            "order_item_id": item.id, "product_id": item["product_id"], "sku": item["sku"], "name": item["name"],
            "price": item["price"], "base_price": item["base_price"], "qty": quantity} for item, quantity in quantities]

    def take(self, side, whole, done):
        """Fills in the lines' share of what is left: `whole` and `done` name the columns of PARTS for the sum and the
        part that is used up. Returns {amount: sum over the lines}."""
        sums = {part[0]: ZERO for part in PARTS}
        for line, (item, quantity) in zip(self.lines, self.quantities):
            total_quantity, done_quantity = (item["qty_ordered"], item["qty_invoiced"]) if done == 1 else \
                (item["qty_invoiced"], item["qty_refunded"])
            for part in PARTS:
                left = (item.get(side(part[whole])) or ZERO) - (item.get(side(part[done])) or ZERO)
                amount = ZERO
                if quantity and not item.is_dummy:
                    amount = share(left, total_quantity - done_quantity, quantity, side.places)
                line[side(part[0])] = amount
                sums[part[0]] += amount
            line[side("row_total_incl_tax")] = line[side("row_total")] + line[side("tax_amount")] \
                + line[side("discount_tax_compensation_amount")]
        return sums

    def book(self, side, done, sign=1):
        """Adds the document to what is used up of the order and of its items. `done` as in `take`; `sign` −1 takes it
        out again."""
        for line, (item, _) in zip(self.lines, self.quantities):
            for part in PARTS:
                item.add(side(part[done]), sign * line[side(part[0])])
        used = ("invoiced", "refunded")[done - 1]
        for part in SHIPPING_PARTS:
            self.order.add(side(part[done]), sign * self[side(part[0])])
        for name, pair in TENDERS.items():
            self.order.add(side(pair[done - 1]), sign * self[side(name)])
        for name, total in TOTALS.items():
            self.order.add(side(f"{total}_{used}"), sign * self[side(name)])

    def as_json(self):
        return {**super().as_json(), "items": self.lines, "comments": self.comments}


def number(document, kind):
    """Gives a calculated document its numbers."""
    sales = document.shop.sales
    document["entity_id"] = sales.next(kind)
    document["increment_id"] = sales.increment(kind, document["store_id"])
    for line in getattr(document, "lines", ()):
        line["entity_id"], line["parent_id"] = sales.next(f"{kind} item"), document["entity_id"]
