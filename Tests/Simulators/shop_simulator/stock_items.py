"""Stock without MSI: one quantity a product. With MSI it is that of the default source."""

from .errors import ShopError
from .values import ZERO, decimal

FLAGS = ("is_in_stock", "manage_stock", "use_config_manage_stock", "use_config_backorders", "use_config_min_qty",
         "is_qty_decimal")


class StockItems:
    def __init__(self, shop):
        self._shop = shop
        self._by_product = {}  # product id → fields
        # Called with (sku, fields changed) after `change`: MSI's default source follows.
        self.follow = lambda sku, fields: None

    def get(self, sku):
        product = self._shop.catalog.find(sku)
        if product is None:
            raise ShopError(404, 'The Product with the "%1" SKU doesn\'t exist.', [sku])
        return self._by_product.setdefault(product.id, {
            "item_id": product.id, "product_id": product.id, "stock_id": 1, "qty": ZERO, "is_in_stock": False,
            "is_qty_decimal": False, "show_default_notification_message": False, "use_config_min_qty": True,
            "min_qty": ZERO,
            "use_config_backorders": True, "backorders": 0, "use_config_manage_stock": True, "manage_stock": True,
            "low_stock_date": None})

    def managed(self, sku):
        """Whether sales change its stock: per product, not per source or stock (magento-rules §4)."""
        product = self._shop.catalog.find(sku)
        if product is None:
            return False
        item = self.get(sku)
        return item["use_config_manage_stock"] or item["manage_stock"]

    def as_json(self, sku):
        return {**self.get(sku)}

    def change(self, sku, fields):
        item = self.get(sku)
        for name, value in fields.items():
            if name in ("item_id", "product_id", "stock_id") or name not in item:
                continue
            item[name] = bool(value) if name in FLAGS else decimal(value, name) if name in ("qty", "min_qty") else value
        if "manage_stock" in fields and "use_config_manage_stock" not in fields:
            item["use_config_manage_stock"] = False
        if "qty" in fields and "is_in_stock" not in fields:
            item["is_in_stock"] = item["qty"] > item["min_qty"]
        self.follow(sku, fields)
        return item

    def mirror(self, sku, quantity, in_stock):
        """What the default source holds, and nothing is told to anybody."""
        if self._shop.catalog.find(sku) is not None:
            self.get(sku).update(qty=quantity, is_in_stock=in_stock)

    def add(self, sku, quantity):
        """A sale, or what undoes one: the flag falls when nothing is left, and rises when something comes back."""
        item = self.get(sku)
        item["qty"] += quantity
        if not item["backorders"]:
            item["is_in_stock"] = item["qty"] > item["min_qty"]

    def low(self, below):
        return [item for item in self._by_product.values() if item["qty"] < below]
