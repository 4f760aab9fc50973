"""Function, shipping and payment methods: mapped ones are known to the OMS as SKUs and gateways; an order with another one
waits and says what to do (connector.md §9, magento-rules.md §6)."""

import unittest

from story import Scenario, told

UPDATED = "magento.catalog.product_management.updated"
SPECIAL = {"gateway": True, "action": "authorize", "can_capture": True}


class ShippingAndPaymentMethods(Scenario):
    WORLD = {"mapping": 'shipping dhl_express = DHL-EXPRESS "DHL Express"\n', "shop": {"payment_methods": {
        "checkmo": {}, "special": SPECIAL}}}
    PRODUCTS = [{"sku": "MUG", "price": "10"}]

    def methods(self):
        return {message["params"]["product"]["sku"]: message["params"]["product"]
                for message in self.world.oms.received.all(UPDATED, lambda params: params["product"]["type"] == "shipping")}

    @told
    def test_mapped_methods_are_catalog_entries_under_their_skus(self, story):
        found = story.by_and_by(lambda: len(self.methods()) >= 2 and self.methods(), "the shipping methods to be told")
        self.assertEqual({sku: (each["id"], each["status"], each["name"][0]["value"]) for sku, each in found.items()
                          if sku in ("STANDARD", "DHL-EXPRESS")},
                         {"STANDARD": ("STANDARD", "ACTIVE", "Flat Rate"), "DHL-EXPRESS": ("DHL-EXPRESS", "ACTIVE", "DHL Express")})
        order = story.order({"MUG": 1}, shipping={"method": "dhl_express", "amount": "9", "description": "DHL - Express"})
        line = order.wait_until_sent()["lines"][-1]
        self.assertEqual((line["id"], line["sku"], line["product_name"]), ("SHIPPING", "DHL-EXPRESS", "DHL - Express"))

    @told
    def test_order_with_an_unmapped_shipping_method_waits(self, story):
        order = story.order({"MUG": 1}, exported=False, shipping={"method": "rocket_fast", "amount": "9"})
        held = order.export()
        self.assertEqual(held["export_state"], "ORDER_EXPORT_STATE_HELD")
        self.assertIn("rocket_fast", held["reason"])
        self.assertIn("mapping file", held["reason"])
        story.ends(order, exported="HELD")

    @told
    def test_order_with_an_unmapped_payment_method_waits(self, story):
        order = story.order({"MUG": 1}, exported=False, payment="special")
        held = order.export()
        self.assertEqual(held["export_state"], "ORDER_EXPORT_STATE_HELD")
        self.assertIn("special", held["reason"])
        story.ends(order, exported="HELD", state="processing", invoices=0)

    @told
    def test_unknown_shipping_method_is_told_to_the_catalog(self, story):
        """magento-rules.md §6, Shipping methods: an unknown one is exported to the catalog and the order waits."""
        order = story.order({"MUG": 1}, exported=False, shipping={"method": "rocket_slow", "amount": "9"})
        order.export()
        story.ends(order, exported="HELD")
        story.by_and_by(lambda: self.world.oms.received.all(
            UPDATED, lambda params: (params["product"]["type"], params["product"]["sku"]) == ("shipping", "rocket-slow")),
            "the method")


if __name__ == "__main__":
    unittest.main()
