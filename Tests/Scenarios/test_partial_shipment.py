"""Feature 4, partial shipment: each parcel is shipped and invoiced as it leaves; what never leaves is cancelled in the end."""

import unittest

from oms_simulator import GO, PHP
from story import Scenario, told


class PartialShipment(Scenario):
    PRODUCTS = [{"sku": "MUG", "price": "10"}, {"sku": "CAP", "price": "7"}]

    def in_two_shipments(self, story, quirks=None, **asked):
        order = story.order({"MUG": 3, "CAP": 2}, quirks, **asked)
        order.created()
        order.updated("LOGISTICS", "READYTOSHIP")
        story.then(order, status="oms_fulfilment")
        order.ships({"MUG": 2})
        story.then(order, shipments=1, invoices=1, status="oms_part_shipped")
        order.ships({"MUG": 1, "CAP": 2}, [{"MUG": 1}, {"CAP": 2}])
        story.then(order, shipments=2, invoices=2)
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, invoices=2, state="complete", status="complete", oms_status="COMPLETE",
                   total_invoiced=49, shipping_invoiced=5, total_canceled=0, attention=False)
        return order

    @told
    def test_order_leaves_in_two_shipments_and_three_parcels(self, story):
        order = self.in_two_shipments(story)
        documents = order.documents()
        self.assertEqual([each["items"] for each in documents["shipments"]], [{"MUG": "1", "CAP": "2"}, {"MUG": "2"}])
        self.assertEqual([each["source"] for each in documents["shipments"]], ["eu-web", "eu-web"])
        self.assertEqual([each["tracks"] for each in documents["shipments"]], [
            [("T-N-2-1", "DHL"), ("T-N-2-2", "DHL")], [("T-N-1-1", "DHL")]])
        self.assertEqual([each["items"] for each in documents["invoices"]], [{"MUG": "1", "CAP": "2"}, {"MUG": "2"}])

    @told
    def test_as_the_php_stand_in_spells_it(self, story):
        order = self.in_two_shipments(story, PHP)
        self.assertEqual([title for each in order.documents()["shipments"] for _, title in each["tracks"]], ["DHL"] * 3)

    @told
    def test_as_the_go_stand_in_spells_it(self, story):
        order = self.in_two_shipments(story, GO)
        self.assertEqual([each["tracks"] for each in order.documents()["shipments"]], [[], []])

    @told
    def test_what_the_oms_cancels_is_left_alone_until_it_is_through_and_then_cancelled_once(self, story):
        order = story.order({"MUG": 3, "CAP": 1})
        order.created()
        order.ships({"MUG": 2})
        story.then(order, shipments=1, invoices=1)
        order.cancels_line("MUG")
        order.says(order.life.cancelled(order.life.numbers("CAP"), "COMPLETE", "PARTIALLYSHIPPED"))
        # 2 of 3 mugs, and the shipping: the other mug and the cap are never paid.
        story.ends(order, shipments=1, invoices=1, state="complete", total_invoiced=25, total_canceled=17, attention=False)
        items = {item["sku"]: item for item in order.seen()["order"]["items"]}
        self.assertEqual({sku: (item["qty_shipped"], item["qty_canceled"]) for sku, item in items.items()},
                         {"MUG": (2, 1), "CAP": (0, 1)})

    @told
    def test_order_of_which_nothing_leaves_ends_cancelled(self, story):
        order = story.order({"MUG": 1, "CAP": 1})
        order.created()
        order.updated("ONHOLD", "PENDING_REMORSE_TIME")
        order.says(order.life.cancelled())
        story.ends(order, state="canceled", status="canceled", invoices=0, shipments=0, total_canceled=22, attention=False)

    @told
    def test_lines_of_one_sku_in_several_messages_are_never_shipped_twice(self, story):
        order = story.order({"MUG": 4})
        order.created()
        for _ in range(4):
            order.ships({"MUG": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=4, state="complete", total_invoiced=45)
        self.assertEqual([each["items"] for each in order.documents()["shipments"]], [{"MUG": "1"}] * 4)

    @told
    def test_item_of_many_units_leaves_in_two_parcels(self, story):
        order = story.order({"MUG": 150})
        order.created()
        [line] = order.life.numbers("MUG")
        order.ships_units(line, 100)
        order.ships_units(line, 50)
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, invoices=2, state="complete", total_invoiced=1505, total_canceled=0, attention=False)
        for documents in ("shipments", "invoices"):
            self.assertEqual(sorted(each["items"]["MUG"] for each in order.documents()[documents]), ["100", "50"])


if __name__ == "__main__":
    unittest.main()
