"""Multi-source inventory: sources, stocks, their links, source items and reservations."""

from .errors import ShopError, not_found
from .values import ZERO, decimal, dump

DEFAULT = "default"


class Msi:
    def __init__(self, shop, items):
        self._shop, self._items = shop, items
        items.follow = self._follow
        self.sources = {DEFAULT: _source({"source_code": DEFAULT, "name": "Default Source"})}
        # In the order of their ids; the first has every website until one is given to another.
        self.stocks = {1: {"stock_id": 1, "name": "Default Stock", "extension_attributes": {
            "sales_channels": [{"type": "website", "code": "base"}]}}}
        self.links = [{"stock_id": 1, "source_code": DEFAULT, "priority": 1}]
        self._quantities = {}  # (source, SKU) → {"quantity", "status"}
        self._holders = {}  # SKU → sources that it is assigned to
        self._revision, self._searched = 0, None
        self.reservations = []
        self._reserved = {}  # (stock, SKU) → sum of its reservations

    def save_source(self, asked):
        code = asked["source_code"]
        self.sources[code] = _source({**self.sources.get(code, {}), **asked})

    def save_stock(self, asked):
        """A sales channel belongs to one stock: here it is taken from the one that had it. Returns the id."""
        number = int(asked.get("stock_id") or max(self.stocks, default=0) + 1)
        channels = (asked.get("extension_attributes") or {}).get("sales_channels") or []
        for stock in self.stocks.values():
            own = stock["extension_attributes"]
            own["sales_channels"] = [channel for channel in own["sales_channels"] if channel not in channels]
        before = self.stocks.get(number, {"extension_attributes": {"sales_channels": []}})
        kept = channels if "extension_attributes" in asked else before["extension_attributes"]["sales_channels"]
        self.stocks[number] = {
            "stock_id": number, "name": asked.get("name", before.get("name", "")),
            "extension_attributes": {"sales_channels": kept}}
        return number

    def delete_stock(self, number):
        if number == 1:
            raise ShopError(400, "Default Stock could not be deleted.")
        if number not in self.stocks:
            raise not_found("stock_id", number)
        del self.stocks[number]
        self.links = [link for link in self.links if link["stock_id"] != number]

    def link(self, asked):
        self.unlink(asked)
        self.links.append({"stock_id": int(asked["stock_id"]), "source_code": asked["source_code"],
                           "priority": int(asked.get("priority", 1))})

    def unlink(self, asked):
        key = (int(asked["stock_id"]), asked["source_code"])
        self.links = [link for link in self.links if (link["stock_id"], link["source_code"]) != key]

    def stock_of(self, type, code):
        """The stock of a sales channel; the default one when none has it."""
        for stock in self.stocks.values():
            if {"type": type, "code": code} in stock["extension_attributes"]["sales_channels"]:
                return stock
        return self.stocks[1]

    def sources_of(self, stock_id):
        """Codes of the enabled sources of a stock, by priority."""
        linked = sorted((link for link in self.links if link["stock_id"] == stock_id),
                        key=lambda link: link["priority"])
        return [link["source_code"] for link in linked if self.sources[link["source_code"]]["enabled"]]

    def quantity(self, source, sku):
        """What a source holds, None when the product isn't assigned to it."""
        held = self._quantities.get((source, sku))
        return held and held["quantity"]

    def put(self, source, sku, quantity, status):
        self._quantities[source, sku] = {"quantity": quantity, "status": status}
        self._holders.setdefault(sku, set()).add(source)
        self._revision += 1
        if source == DEFAULT:
            self._items.mirror(sku, quantity, bool(status))

    def add(self, source, sku, quantity):
        held = self._quantities.get((source, sku), {"quantity": ZERO, "status": 1})
        left = held["quantity"] + quantity
        self.put(source, sku, left, 1 if left > 0 else 0)

    def remove(self, source, sku):
        self._quantities.pop((source, sku), None)
        self._holders.get(sku, set()).discard(source)
        self._revision += 1

    def search(self, criteria):
        """All source items that match, sorted. Pages of one search follow each other: the last result is kept."""
        asked = (criteria.key, self._revision)
        if self._searched is None or self._searched[0] != asked:
            self._searched = (asked, criteria.select(self.rows(), lambda row, field: row.get(field)))
        return self._searched[1]

    def rows(self):
        return [{"sku": sku, "source_code": source, **held} for (source, sku), held in self._quantities.items()]

    def sources_with(self, sku):
        return self._holders.get(sku, set())

    def salable(self, sku, stock_id):
        """Σ sources + reservations − min_qty."""
        held = (self._quantities.get((source, sku)) for source in self.sources_of(stock_id))
        there = sum((entry["quantity"] for entry in held if entry and entry["status"]), ZERO)
        product = self._shop.catalog.find(sku)
        least = self._items.get(sku)["min_qty"] if product else ZERO
        return there + self._reserved.get((stock_id, sku), ZERO) - least

    def reserve(self, stock_id, movements, sign, event, order):
        for sku, quantity in movements:
            if not quantity:
                continue
            self._reserved[stock_id, sku] = self._reserved.get((stock_id, sku), ZERO) + sign * quantity
            self.reservations.append({
                "reservation_id": len(self.reservations) + 1, "stock_id": stock_id, "sku": sku,
                "quantity": sign * quantity,
                "metadata": dump({"event_type": event, "object_type": "order", "object_id": str(order["entity_id"]),
                                  "object_increment_id": order["increment_id"]})})

    def _follow(self, sku, fields):
        if self._shop.settings.msi and ("qty" in fields or "is_in_stock" in fields):
            item = self._items.get(sku)
            self.put(DEFAULT, sku, item["qty"], int(item["is_in_stock"]))


def _source(asked):
    return {"enabled": True, "country_id": "US", "postcode": "00000", "use_default_carrier_config": True,
            "carrier_links": [],
            "name": asked["source_code"],
            **{k: decimal(v) if k in ("latitude", "longitude") and v else v for k, v in asked.items()}}
