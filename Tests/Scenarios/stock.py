"""What stories of stock share."""

from datetime import timedelta

from oms_simulator import snapshot
from oms_simulator.snapshots import UPDATED
from story import Scenario
from world import INVENTORY, SOURCE

# Two websites; the second one sells in dollars.
STORES = {
    "websites": [{"id": 1, "code": "base", "name": "Europe"}, {"id": 2, "code": "us", "name": "America"}],
    "views": [{"id": 1, "code": "default", "name": "English", "locale": "en_GB", "base_currency_code": "EUR"},
              {"id": 2, "code": "us_en", "name": "American", "locale": "en_US", "base_currency_code": "USD", "website_id": 2}]}


class Stock(Scenario):
    """Says snapshots, and looks at what is known."""

    def snapshot(self, story, aggregate, rows, mode="DELTA", second=1):
        """`second`: of the five minutes before the story began."""
        created_on = (story.began + timedelta(seconds=second - 300)).isoformat()
        story.says((UPDATED, snapshot(aggregate, mode, created_on, rows)))

    def known(self, aggregate, sku):
        stock = self.world.call(f"{INVENTORY}/GetStock", {"aggregate_id": aggregate, "sku": sku})["stock"]
        return None if stock.get("unlimited") else stock.get("quantity", 0)

    def put(self, story, quantity=0, source=SOURCE, **more):
        """A product of this telling alone, in the shop and the catalog. Its SKU."""
        sku = f"MUG-{len(story.said)}-{story.name}"
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": sku, "price": "10", **more})
            if self.world.shop.settings.msi:
                self.world.shop.stock.msi.put(source, sku, quantity, int(quantity > 0))
        self.world.export([sku])
        return sku
