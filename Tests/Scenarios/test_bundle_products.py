"""Feature 3, bundle products: the bundle is a line that costs nothing, its parts have the prices; how it leaves is the shop's
decision."""

import unittest

from story import Scenario, told
from wire import ANY, attribute, differences, taxed, untaxed

PARTS = [{"sku": "BALL", "name": "Ball", "price": "20"}, {"sku": "BRICK", "name": "Brick", "price": "5"}]
OPTIONS = [{"title": "Ball", "selections": [{"sku": "BALL"}]}, {"title": "Brick", "selections": [{"sku": "BRICK"}]}]
# 0: prices of its parts, all in one parcel; 1: a price of its own, each part when it is ready.
KIT = {"sku": "KIT", "name": "Yoga kit", "type": "bundle", "price_type": 0, "shipment_type": 0, "options": OPTIONS}
SET = {"sku": "SET", "name": "Yoga set", "type": "bundle", "price": "24", "price_type": 1, "shipment_type": 1, "sku_type": 1,
       "options": OPTIONS}
TOGETHER = attribute("mom_srcrr_FilterSourceBundleFromOneSource", "SHIPTOGETHER")


class BundleProducts(Scenario):
    PRODUCTS = [*PARTS, KIT, SET]

    def line(self, order, number, sku, kind, amount, **more):
        item = next(item for item in order.placed["items"] if item["name"] == more.get("product_name", ""))
        return {"id": str(item["item_id"]), "line_number": number, "product_type": kind, "sku": sku,
                "shipping_address_reference": ANY, "payment_reference": ANY, "amount": amount,
                "promotions_info": lambda given: not (given or {}).get("promotions"), **more}

    def test_bundle_with_the_prices_of_its_parts_on_the_wire(self):
        def story(test, telling):
            order = telling.order([{"sku": "KIT", "children": [{"sku": "BALL"}, {"sku": "BRICK", "quantity": 2}]}])
            kit = str(order.placed["items"][0]["item_id"])
            part = {"parent_line_number": 1, "parent_line_id": kit, "shipping_line_number": 5}
            test.assertEqual(order.placed["items"][0]["sku"], "KIT-BALL-BRICK", "the shop joins SKUs, the OMS knows the bundle's")
            test.assertEqual(differences([
                test.line(order, 1, "KIT", "BUNDLE", untaxed(0), product_name="Yoga kit", custom_attributes=[TOGETHER]),
                test.line(order, 2, "BALL", "PHYSICAL", untaxed(20), product_name="Ball", **part),
                test.line(order, 3, "BRICK", "PHYSICAL", untaxed(5), product_name="Brick", **part),
                test.line(order, 4, "BRICK", "PHYSICAL", untaxed(5), product_name="Brick", **part),
            ], order.wait_until_sent()["lines"][:4]), [])

        self.tell_in_all_ways(story)

    def test_fixed_price_is_spread_over_the_parts_by_what_they_cost_alone(self):
        def story(test, telling):
            order = telling.order([{"sku": "SET"}], tax_rate="19", shipping={"amount": "0"})
            lines = order.wait_until_sent()["lines"]
            part = {"parent_line_number": 1, "parent_line_id": str(order.placed["items"][0]["item_id"]), "shipping_line_number": 4}
            # 24 with 4.56 of tax, 20 to 5: 22.848 and 5.712.
            test.assertEqual(differences([
                test.line(order, 1, "SET", "BUNDLE", untaxed(0), product_name="Yoga set"),
                test.line(order, 2, "BALL", "PHYSICAL", taxed("19.20", "3.65", 19), product_name="Ball", **part),
                test.line(order, 3, "BRICK", "PHYSICAL", taxed("4.80", "0.91", 19), product_name="Brick", **part),
            ], lines[:3]), [])

        self.tell_in_all_ways(story)

    @told
    def test_bundle_that_leaves_together_is_shipped_once_all_of_its_parts_are(self, story):
        story.depends_on_order("shipments")  # which of its parcels completes a bundle
        order = story.order([{"sku": "KIT", "quantity": 2}])
        order.created()
        order.ships({"BALL": 2})
        story.then(order, exported="ACCEPTED")
        order.ships({"BRICK": 1})
        story.then(order, shipments=1)
        order.ships({"BRICK": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, state="complete", total_invoiced=55, attention=False)
        # The shop counts the parts along with the bundle.
        self.assertEqual([each["items"] for each in order.documents()["shipments"]],
                         [{"KIT-BALL-BRICK": "1", "BALL": "1", "BRICK": "1"}] * 2)
        tracks = {number for each in order.documents()["shipments"] for number, _ in each["tracks"]}
        self.assertEqual(tracks, {"T-N-1-1", "T-N-2-1", "T-N-3-1"}, "the customer can follow every parcel")

    @told
    def test_bundle_that_leaves_part_by_part_is_shipped_by_its_parts_and_invoiced_by_itself(self, story):
        order = story.order([{"sku": "SET"}])
        order.created()
        order.ships({"BALL": 1})
        story.then(order, shipments=1)
        order.ships({"BRICK": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=2, invoices=1, state="complete", total_invoiced=29, attention=False)
        self.assertEqual([each["items"] for each in order.documents()["shipments"]], [{"BALL": "1"}, {"BRICK": "1"}])

    @told
    def test_bundle_that_leaves_together_and_of_which_a_part_never_does_is_an_operators(self, story):
        order = story.order([{"sku": "KIT"}])
        order.created()
        order.ships({"BALL": 1})
        story.then(order, exported="ACCEPTED")
        order.says(order.life.cancelled(order.life.numbers("BRICK"), "COMPLETE", "PARTIALLYSHIPPED"))
        story.ends(order, shipments=0, invoices=1, total_invoiced=25, attention=True,
                   reason=lambda reason: "KIT-BALL-BRICK, which the shop ships as a whole, only line 2 (BALL) left" in reason)


if __name__ == "__main__":
    unittest.main()
