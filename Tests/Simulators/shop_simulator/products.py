"""One product, as the REST interface shows it."""

from .outgoing import PRODUCT_SAVED
from .query import trimmed
from .values import decimal, dump

TYPES = ("simple", "virtual", "downloadable", "giftcard", "configurable", "bundle", "grouped")
COMPOSITE = ("configurable", "bundle", "grouped")  # types without stock of their own
# Fields of the product itself; all else are custom attributes.
OWN = ("sku", "name", "attribute_set_id", "price", "status", "visibility", "weight")
TOGETHER, SEPARATELY = 0, 1


class Product:
    def __init__(self, number, sku, shop):
        self.id, self.sku, self._shop = number, sku, shop
        self.type = "simple"
        now = shop.clock.text()
        self._own = {"name": sku, "attribute_set_id": 4, "price": decimal(0), "status": 1, "visibility": 4,
                     "weight": None,
                     "created_at": now, "updated_at": now}
        self._custom = {}
        self._localized = {}  # view id → {field: value}
        self.websites = [1]
        self.variants = []  # configurable: SKUs
        self.super_attributes = []  # configurable: attribute codes
        self.options = []  # bundle: {title, required, type, selections: [{sku, quantity, price}]}
        self.associated = []  # grouped: SKUs
        self._texts = {}

    def change(self, asked):
        """{type, name, price, status, visibility, weight, attributes: {code: value}, localized: {view: {name, …}},
        websites: [id], variants: [sku], super_attributes: [code], options: […], associated: [sku], price_type,
        shipment_type, stock: {…}}"""
        if asked.get("type", self.type) not in TYPES:
            raise ValueError(f"product {self.sku}: type {asked['type']!r} is not one of {', '.join(TYPES)}")
        self.type = asked.get("type", self.type)
        for name in OWN[1:]:
            if name in asked:
                numeric = name in ("price", "weight") and asked[name] is not None
                self._own[name] = decimal(asked[name], name) if numeric else asked[name]
        for name in ("variants", "super_attributes", "options", "associated", "websites"):
            setattr(self, name, list(asked.get(name, getattr(self, name))))
        if self.type == "bundle":
            # 0 dynamic, 1 fixed; the same numbers for the SKU: joined from the selections, or the bundle's own.
            for name, usual in (("price_type", 0), ("shipment_type", TOGETHER), ("sku_type", 0)):
                self._custom[name] = str(asked.get(name, self._custom.get(name, usual)))
        for code, value in (asked.get("attributes") or {}).items():
            if value is None:
                self._custom.pop(code, None)
            else:
                self._custom[code] = value
        for view, values in (asked.get("localized") or {}).items():
            self._localized.setdefault(self._shop.stores.view(view)["id"], {}).update(values)
        if "stock" in asked:
            self._shop.stock.items.change(self.sku, asked["stock"])
        self.touch()

    def rename(self, sku):
        self.sku = sku
        self.touch()

    def touch(self):
        self._own["updated_at"] = self._shop.clock.text()
        self._texts.clear()
        self._shop.outgoing.tell(PRODUCT_SAVED, {"id": self.id, "sku": self.sku, "updated_at": self._own["updated_at"]})

    @property
    def name(self):
        return self._own["name"]

    @property
    def price(self):
        return self._own["price"]

    @property
    def weight(self):
        return self._own["weight"]

    @property
    def is_virtual(self):
        physical_card = self.type == "giftcard" and self._custom.get("giftcard_type", "0") != "0"
        return self.type in ("virtual", "downloadable") or (self.type == "giftcard" and not physical_card)

    @property
    def is_dynamic(self):
        """Whether a bundle's price is that of its selections."""
        return self.type == "bundle" and self._custom["price_type"] == "0"

    @property
    def ships_separately(self):
        return self.type == "bundle" and self._custom["shipment_type"] == str(SEPARATELY)

    @property
    def joins_skus(self):
        return self.type == "bundle" and self._custom["sku_type"] == "0"

    def attribute(self, code):
        return self._custom.get(code)

    def children(self):
        """SKUs of what it is made of."""
        if self.type == "bundle":
            return [selection["sku"] for option in self.options for selection in option["selections"]]
        return self.variants if self.type == "configurable" else self.associated

    def value(self, field, view_id):
        """A field for a search, None when there is none."""
        local = self._localized.get(view_id)
        if local and field in local:
            return local[field]
        if field in self._own:
            return self._own[field]
        if field in ("entity_id", "id"):
            return self.id
        if field == "sku":
            return self.sku
        if field == "type_id":
            return self.type
        if field in ("website_id", "website_ids"):
            return self.websites
        return self._custom.get(field)

    def text(self, view_id, asked="", fields=None):
        """The JSON of the product in a list, with those fields; `asked` is how they were asked for. Kept until the
        product changes."""
        if (view_id, asked) not in self._texts:
            self._texts[view_id, asked] = dump(trimmed(self.as_json(view_id), fields))
        return self._texts[view_id, asked]

    def as_json(self, view_id, stock_item=False):
        local = self._localized.get(view_id, {})
        own = {"id": self.id, "sku": self.sku, **{k: local.get(k, v) for k, v in self._own.items() if v is not None}}
        own["type_id"] = self.type
        custom = {**self._custom, **{k: v for k, v in local.items() if k not in self._own}}
        return {
            **own, "extension_attributes": self._extension(stock_item), "product_links": self._links(), "options": [],
            "media_gallery_entries": [], "tier_prices": [],
            "custom_attributes": [{"attribute_code": code, "value": value} for code, value in custom.items()]}

    def _extension(self, stock_item):
        extension = {"website_ids": self.websites, "category_links": []}
        if stock_item:
            extension["stock_item"] = self._shop.stock.items.as_json(self.sku)
        if self.type == "configurable":
            extension["configurable_product_options"] = [
                {"id": n, "attribute_id": str(self._shop.catalog.attributes.id(code)), "label": code, "position": n - 1,
                 "values": [], "product_id": self.id} for n, code in enumerate(self.super_attributes, 1)]
            extension["configurable_product_links"] = [
                found.id for found in map(self._shop.catalog.find, self.variants) if found]
        if self.type == "bundle":
            extension["bundle_product_options"] = self.bundle_options()
        return extension

    def bundle_options(self):
        return [{
            "option_id": number, "title": option.get("title", f"Option {number}"),
            "required": option.get("required", True),
            "type": option.get("type", "select"), "position": number, "sku": self.sku,
            "product_links": [{
                "id": str(position), "sku": selection["sku"], "option_id": number,
                "qty": decimal(selection.get("quantity", 1)),
                "position": position, "is_default": position == 1, "price": decimal(selection.get("price", 0)),
                "price_type": 0, "can_change_quantity": 0,
            } for position, selection in enumerate(option["selections"], 1)],
        } for number, option in enumerate(self.options, 1)]

    def _links(self):
        return [{"sku": self.sku, "link_type": "associated", "linked_product_sku": sku, "linked_product_type": "simple",
                 "position": n, "extension_attributes": {"qty": 0}} for n, sku in enumerate(self.associated)]
