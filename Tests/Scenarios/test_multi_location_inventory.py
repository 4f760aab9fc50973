"""Feature 8, multi-location inventory: each aggregate's stock reaches the website that sells from it, corrected by what is sold and
not yet gone (magento-rules.md §4); the OMS's sources are known."""

import unittest

from stock import STORES, Stock
from story import told
from wire import differences
from world import INVENTORY, SOURCE

SOURCES = "magento.inventory.source_management."


class WithSources(Stock):
    """MSI: a source of the shop for each aggregate."""

    WORLD = {"stores": STORES, "mapping": "website us = US-STORE\naggregate US-WEB = us source=us-web\n"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls.world.shop.lock:
            msi = cls.world.shop.stock.msi
            msi.save_source({"source_code": "us-web", "name": "America"})
            number = msi.save_stock({"name": "America", "extension_attributes": {
                "sales_channels": [{"type": "website", "code": "us"}]}})
            msi.link({"stock_id": number, "source_code": "us-web", "priority": 1})

    def shelf(self, sku, source=SOURCE):
        with self.world.shop.lock:
            return self.world.shop.stock.msi.quantity(source, sku)

    def salable(self, sku, website="base"):
        with self.world.shop.lock:
            msi = self.world.shop.stock.msi
            return msi.salable(sku, msi.stock_of("website", website)["stock_id"])

    @told
    def test_each_aggregate_goes_to_its_own_source(self, story):
        sku = self.put(story)
        self.snapshot(story, "EU-WEB", [(sku, 12)], second=1)
        self.snapshot(story, "US-WEB", [(sku, "30")], second=2)
        self.snapshot(story, "EU-WEB", [(sku, 9)], second=3)
        story.by_and_by(lambda: (self.shelf(sku), self.shelf(sku, "us-web")) == (9, 30), "the stock to be in the shop")
        story.keeps("shelves", lambda: (self.shelf(sku), self.shelf(sku, "us-web"), self.known("EU-WEB", sku)))

    @told
    def test_aggregate_that_sells_nowhere_changes_nothing_in_the_shop(self, story):
        sku = self.put(story, 5)
        self.snapshot(story, f"UNKNOWN-{story.name}", [(sku, 77)])
        self.world.settle()
        self.assertEqual(self.shelf(sku), 5)

    @told
    def test_what_the_oms_has_sold_is_not_deducted_twice(self, story):
        # The OMS counts 10 and knows the order of 3: the shop's own reservation takes them off again, so 13 go there.
        sku = self.put(story, 20)
        order = story.order({sku: 3})
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        self.snapshot(story, "EU-WEB", [(sku, 10)])
        story.by_and_by(lambda: self.shelf(sku) == 13, "the corrected stock to be in the shop")
        self.assertEqual(self.salable(sku), 10)
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, state="complete")
        story.by_and_by(lambda: (self.shelf(sku), self.salable(sku)) == (10, 10), "nothing to be left of the correction")
        story.keeps("salable", lambda: self.salable(sku))

    @told
    def test_snapshot_of_all_that_is_there_empties_the_rest(self, story):
        aggregate = "US-WEB"
        kept = [self.put(story, source="us-web") for _ in range(1)]
        with self.world.shop.lock:
            for n in range(8):
                self.world.shop.catalog.put({"sku": f"N{n}-{story.name}", "price": "1"})
                self.world.shop.stock.msi.put("us-web", f"N{n}-{story.name}", 0, 0)
        names = kept + [f"N{n}-{story.name}" for n in range(8)]
        self.world.export(names[1:])
        held = {row["sku"]: row.get("quantity", 0) for row in self.world.call(
            f"{INVENTORY}/ListStock", {"aggregate_id": aggregate, "page_size": 1000}).get("stock", [])}
        self.snapshot(story, aggregate, [(sku, 4) for sku in names], second=1)
        story.by_and_by(lambda: self.shelf(names[-1], "us-web") == 4, "the stock to be in the shop")
        # All but one of them: fewer than a fifth become 0.
        rows = [(sku, 4) for sku in names[:-1]] + [(sku, quantity) for sku, quantity in held.items() if quantity]
        self.snapshot(story, aggregate, rows, "NONZERO", second=200)
        story.by_and_by(lambda: self.shelf(names[-1], "us-web") == 0, "what was left out to be 0")
        self.assertEqual({self.shelf(sku, "us-web") for sku in names[:-1]}, {4})

    @told
    def test_sources_of_the_oms_come_change_and_go(self, story):
        name = f"WH-{story.name}"
        source = {"id": name, "name": "Oslo", "type": "Warehouse", "timezone": "Europe/Oslo", "address": {"city": "Oslo"},
                  "aggregate_ids": ["EU-WEB"], "configurations": {"active": True, "capabilities": {"accepts_returns": True}}}

        def known():
            sources = self.world.call(f"{INVENTORY}/ListSources", {"page_size": 1000}).get("sources", [])
            found = next((each for each in sources if each["source_id"] == name), {})
            return {key: found.get(key) for key in ("name", "type", "aggregate_ids", "active", "accepts_returns", "deleted")}

        story.says((SOURCES + "created", {"source": source}))
        story.by_and_by(lambda: known()["name"] == "Oslo", "the source to be known")
        self.assertEqual(differences({"name": "Oslo", "type": "Warehouse", "aggregate_ids": ["EU-WEB"], "active": True,
                                      "accepts_returns": True}, known()), [])
        story.says((SOURCES + "updated", {"source": {**source, "name": "Bergen"}}))
        story.by_and_by(lambda: known()["name"] == "Bergen", "its name to change")
        story.says((SOURCES + "deleted", {"source_id": name}))
        story.by_and_by(lambda: known()["deleted"], "it to be gone")
        story.keeps("source", known)


class WithoutSources(Stock):
    """No MSI: the stock item of a product, and one aggregate."""

    WORLD = {"shop": {"msi": False}, "mapping": ""}

    def shelf(self, sku):
        with self.world.shop.lock:
            return self.world.shop.stock.items.get(sku)["qty"]

    @told
    def test_units_of_orders_that_the_oms_does_not_know_yet_are_taken_off(self, story):
        # The shop has taken 3 off at checkout; the OMS counts 10 and doesn't know of them yet: 7 may be sold.
        sku = self.put(story, stock={"qty": 20})
        order = story.order({sku: 3})
        self.snapshot(story, "EU-WEB", [(sku, 10)], second=1)
        story.by_and_by(lambda: self.shelf(sku) == 7, "the corrected stock to be in the shop")
        order.created()
        story.then(order, exported="ACCEPTED")
        story.pause()
        self.snapshot(story, "EU-WEB", [(sku, 7)], second=2)
        story.by_and_by(lambda: self.shelf(sku) == 7, "the OMS's own quantity to be in the shop")
        story.keeps("shelf", lambda: self.shelf(sku))

    @told
    def test_unlimited_stock_is_not_managed(self, story):
        sku = self.put(story, stock={"qty": 3})
        self.snapshot(story, "EU-WEB", [(sku, 0, True)])

        def item():
            with self.world.shop.lock:
                return self.world.shop.stock.items.get(sku)

        story.by_and_by(lambda: not item()["manage_stock"] and item()["is_in_stock"], "it to be always in stock")


if __name__ == "__main__":
    unittest.main()
