"""An item of an order: which of a parent and its children counts, and how many units are left for what (magento-rules
§1, §2)."""

from .values import ZERO


class OrderItem:
    # How far money has been invoiced and refunded that the REST interface doesn't tell.
    HIDDEN = frozenset(f"{side}weee_{what}" for side in ("", "base_") for what in ("invoiced", "refunded"))

    def __init__(self, order, data, parent=None, children_priced=False, ships_separately=False, per_parent=1):
        """Of a parent: `children_priced`: price, invoice and refund are the children's (dynamic bundles);
        `ships_separately`: so is shipment. `per_parent`: of a child, how many units one unit of its parent has."""
        self.order, self.data, self.parent = order, data, parent
        self.children = []
        self.refunded_unshipped = ZERO  # units that were refunded and never shipped
        self.children_priced, self.ships_separately, self.per_parent = children_priced, ships_separately, per_parent
        if parent is not None:
            parent.children.append(self)

    def __getitem__(self, name):
        return self.data[name]

    def __setitem__(self, name, value):
        self.data[name] = value

    def get(self, name, otherwise=None):
        return self.data.get(name, otherwise)

    def add(self, name, amount):
        self.data[name] = (self.data.get(name) or 0) + amount

    @property
    def id(self):
        return self.data["item_id"]

    @property
    def is_dummy(self):
        """Whether another item stands for it in invoices and credit memos."""
        if self.children:
            return self.children_priced
        return self.parent is not None and not self.parent.children_priced

    @property
    def is_shipping_dummy(self):
        """Whether another item stands for it in shipments."""
        if self.children:
            return self.ships_separately
        return self.parent is not None and not self.parent.ships_separately

    @property
    def to_invoice(self):
        return ZERO if self.is_dummy else max(self["qty_ordered"] - self["qty_invoiced"] - self["qty_canceled"], ZERO)

    @property
    def to_ship(self):
        return ZERO if self.is_shipping_dummy else self.simple_to_ship

    @property
    def simple_to_ship(self):
        """Left to ship, whoever stands for it."""
        shipped, refunded = self["qty_shipped"], self["qty_refunded"]
        gone = shipped + refunded if self.order.shop.settings.old else max(shipped, refunded)
        return max(self["qty_ordered"] - gone - self["qty_canceled"], ZERO)

    @property
    def to_refund(self):
        return ZERO if self.is_dummy else max(self["qty_invoiced"] - self["qty_refunded"], ZERO)

    @property
    def to_cancel(self):
        return min(self.to_invoice, self.to_ship)

    @property
    def has_stock(self):
        """Whether its product is what leaves the shelf."""
        return not self.children

    def stock_sku(self):
        """The catalog's SKU of its product: that of the item may differ (magento-rules §4)."""
        product = self.order.shop.catalog.by_id(self["product_id"])
        return product.sku if product else self["sku"]

    def whole(self, quantity):
        """A quantity as shipments take it: cut to an integer unless the product is sold in fractions."""
        return max(quantity if self["is_qty_decimal"] else quantity // 1, ZERO)

    def as_json(self):
        shown = {name: value for name, value in self.data.items() if name not in self.HIDDEN}
        if self.parent is not None:
            shown["parent_item"] = {name: value for name, value in self.parent.data.items() if name not in self.HIDDEN}
        return shown
