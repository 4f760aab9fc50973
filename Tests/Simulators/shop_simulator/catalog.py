"""Products and attributes."""

from .attributes import Attributes
from .errors import ShopError
from .products import Product


class Catalog:
    def __init__(self, shop):
        self._shop = shop
        self._by_sku = {}  # in the order of their ids
        self._by_id = {}
        self._last_id = 0
        self._searched = None  # (what, revision, result) of the last search: pages of one search follow each other
        self._revision = 0
        self._bundles = (-1, {})  # revision, SKU → the bundles that have it
        self.attributes = Attributes()

    def put(self, asked):
        """Creates or changes a product; see `Product.change` for what can be said. A name and a type are made up if
        there is none. Returns the product."""
        product = self._by_sku.get(asked["sku"])
        if product is None:
            self._last_id = max(self._last_id + 1, int(asked.get("id", 0)))
            product = Product(self._last_id, asked["sku"], self._shop)
            self._by_sku[product.sku] = self._by_id[product.id] = product
        product.change(asked)
        self._revision += 1
        return product

    def rename(self, sku, new):
        """Gives a product another SKU; its id stays, and what has its old SKU written down keeps that."""
        product = self.get(sku)
        if new in self._by_sku:
            raise ShopError(400, "The value specified in the SKU field would generate a SKU that already exists.")
        product.rename(new)
        self._by_sku = {p.sku: p for p in self._by_id.values()}
        self._revision += 1
        return product

    def delete(self, sku):
        product = self.get(sku)
        del self._by_sku[sku], self._by_id[product.id]
        self._revision += 1

    def get(self, sku):
        if sku not in self._by_sku:
            raise ShopError(404, "The product that was requested doesn't exist. Verify the product and try again.")
        return self._by_sku[sku]

    def find(self, sku):
        """The same without an error: None."""
        return self._by_sku.get(sku)

    def by_id(self, number):
        """The product, or None once it is deleted."""
        return self._by_id.get(number)

    def all(self):
        return list(self._by_id.values())

    def touched(self):
        """A product has changed behind `put`."""
        self._revision += 1

    def search(self, criteria, view_id):
        """All products that match, sorted."""
        asked = (criteria.key, view_id, self._revision)
        if self._searched is None or self._searched[0] != asked:
            found = criteria.select(self._by_id.values(), lambda product, field: product.value(field, view_id))
            self._searched = (asked, found)
        return self._searched[1]

    def bundles_with(self, sku):
        """The bundles that have this product among their selections."""
        if self._bundles[0] != self._revision:
            index = {}
            for bundle in (product for product in self._by_id.values() if product.type == "bundle"):
                for child in bundle.children():
                    index.setdefault(child, []).append(bundle)
            self._bundles = (self._revision, index)
        return self._bundles[1].get(sku, [])
