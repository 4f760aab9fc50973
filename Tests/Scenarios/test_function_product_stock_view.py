"""Function, product page: the stock of each aggregate, read only, and why it is what it is (connector.md §2.8, §9)."""

import unittest

from stock import Stock
from story import told
from world import INVENTORY


class ProductStockView(Stock):
    @told
    def test_stock_of_a_product_is_shown_an_aggregate_at_a_time_and_explained(self, story):
        sku = self.put(story)
        aggregates = [f"{name}-{story.name}" for name in ("NORTH", "SOUTH")]
        self.snapshot(story, aggregates[0], [(sku, 5)], second=1)
        self.snapshot(story, aggregates[1], [(sku, 0, True)], second=1)
        story.pause()
        self.snapshot(story, aggregates[0], [(sku, 8)], second=9)
        story.pause()
        self.snapshot(story, aggregates[0], [(sku, 6)], second=5)  # late
        story.pause()
        self.world.settle()
        self.assertEqual([self.known(aggregate, sku) for aggregate in aggregates], [8, None])
        answer = self.world.call(f"{INVENTORY}/ExplainStock", {"aggregate_id": aggregates[0], "sku": sku})
        self.assertEqual(answer["stock"]["quantity"], 8)
        events = [(event["verdict"].removeprefix("STOCK_VERDICT_"), event.get("quantity", 0)) for event in answer["events"]]
        self.assertEqual([event for event in dict.fromkeys(events) if event[0] in ("APPLIED", "STALE")],
                         [("STALE", 6), ("APPLIED", 8), ("APPLIED", 5)], "the newest first")
        self.assertTrue(all(event["explanation"] and event.get("journal_id") for event in answer["events"]))


if __name__ == "__main__":
    unittest.main()
