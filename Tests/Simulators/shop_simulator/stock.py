"""What a sale does to stock, with multi-source inventory and without (magento-rules §4).

|                             | with MSI                  | without       |
|-----------------------------|---------------------------|---------------|
| order                       | reservation −q            | stock item −q |
| ship                        | source −q, reservation +q | nothing       |
| invoice of what is virtual  | source −q, reservation +q | nothing       |
| cancel                      | reservation +q            | stock item +q |
| refund, restocked, shipped  | source +q                 | stock item +q |
| … never shipped             | reservation +q            | stock item +q |
| refund without restock      | nothing                   | nothing       |
| … never shipped             | source −q, reservation +q | nothing       |
"""

from .errors import refused
from .msi import DEFAULT, Msi
from .stock_items import StockItems

NOT_ALL = "Not all of your products are available in the requested quantity."


class Stock:
    """Movements are lists of (SKU, quantity)."""

    def __init__(self, shop):
        self._shop = shop
        self.items = StockItems(shop)
        self.msi = Msi(shop, self.items)

    def check(self, movements, website):
        """ShopError 400 when not all of it can be sold."""
        for sku, quantity in movements:
            if not self.items.managed(sku) or self.items.get(sku)["backorders"]:
                continue
            there = self.msi.salable(sku, self._stock_id(website)) if self._shop.settings.msi else self._sellable(sku)
            if there < quantity:
                raise refused("The requested qty is not available")

    def ordered(self, order, website, movements):
        self._reserve_or_take(order, website, movements, -1, "order_placed")

    def canceled(self, order, website, movements):
        self._reserve_or_take(order, website, movements, 1, "order_canceled")

    def check_shipment(self, website, movements, source):
        """ShopError 400 when the source can't give it. Without MSI nothing is looked at."""
        if not self._shop.settings.msi:
            return
        if source not in self.msi.sources_of(self._stock_id(website)):
            raise refused(NOT_ALL)
        for sku, quantity in movements:
            if self.items.managed(sku) and not self.items.get(sku)["backorders"]:
                if self.msi.quantity(source, sku) is None or self.msi.quantity(source, sku) < quantity:
                    raise refused(NOT_ALL)

    def shipped(self, order, website, movements, source):
        if self._shop.settings.msi:
            self._from_source(source, movements)
            self.msi.reserve(self._stock_id(website), self._managed(movements), 1, "shipment_created", order)

    def invoiced(self, order, website, movements):
        """Of virtual products, which are never shipped: from the first source of the stock."""
        if self._shop.settings.msi and movements:
            stock_id = self._stock_id(website)
            self._from_source(next(iter(self.msi.sources_of(stock_id)), DEFAULT), movements)
            self.msi.reserve(stock_id, self._managed(movements), 1, "invoice_created", order)

    def refunded(self, order, website, sku, quantity, unshipped, restock, source):
        """`unshipped`: how many of the units were never shipped. `source`: where shipped ones came from."""
        if not quantity or not self.items.managed(sku):
            return
        if not self._shop.settings.msi:
            if restock:
                self.items.add(sku, quantity)
            return
        stock_id = self._stock_id(website)
        if unshipped:
            self.msi.reserve(stock_id, [(sku, unshipped)], 1, "creditmemo_created", order)
            if not restock:
                self._from_source(source, [(sku, unshipped)])
        if restock and quantity > unshipped:
            self._from_source(source, [(sku, unshipped - quantity)])

    def _from_source(self, source, movements):
        for sku, quantity in self._managed(movements):
            self.msi.add(source, sku, -quantity)

    def _reserve_or_take(self, order, website, movements, sign, event):
        if self._shop.settings.msi:
            self.msi.reserve(self._stock_id(website), self._managed(movements), sign, event, order)
            return
        for sku, quantity in self._managed(movements):
            self.items.add(sku, sign * quantity)

    def _managed(self, movements):
        return [(sku, quantity) for sku, quantity in movements if self.items.managed(sku)]

    def _sellable(self, sku):
        item = self.items.get(sku)
        return item["qty"] - item["min_qty"] if item["is_in_stock"] else 0

    def _stock_id(self, website):
        return self.msi.stock_of("website", website)["stock_id"]
