"""What the connector says of itself is what the stories of this folder show: fourteen features, seven functions."""

import unittest

from story import Scenario
from world import GATEWAY

FEATURES = [
    "auto-registration", "order-export", "bundle-products", "partial-shipment", "gift-cards", "logistics-import",
    "partial-capture", "multi-location-inventory", "store-credit", "refunds-and-returns", "simple-and-configurable-products",
    "virtual-products", "custom-order-attributes", "custom-product-attributes"]
FUNCTIONS = ["order-management", "returns-and-refunds", "inventory", "shipping-and-payment-methods", "default-stock",
             "full-catalog-export", "product-stock-view"]


class Capabilities(Scenario):
    WORLD = {"mapping": "attribute order gift_note\nattribute product color = colour\n"}

    def test_all_features_and_functions_are_there_in_their_order_and_work(self):
        answer = self.world.call(f"{GATEWAY}/GetCapabilities")
        self.assertEqual([each["name"] for each in answer["features"]], FEATURES)
        self.assertEqual(sorted(each["name"] for each in answer["functions"]), sorted(FUNCTIONS))
        idle = {each["name"]: (each["state"], each.get("detail")) for each in answer["features"] + answer["functions"]
                if each["state"] != "CAPABILITY_STATE_ACTIVE"}
        self.assertEqual(idle, {})

    def test_each_is_as_good_as_the_services_that_do_it(self):
        self.world.stack.processes["post-sales"].stop()
        self.addCleanup(lambda: self.world.stack.processes["post-sales"].start().wait_healthy())
        answer = self.world.call(f"{GATEWAY}/GetCapabilities")
        states = {each["name"]: each["state"] for each in answer["features"]}
        self.assertEqual(states["refunds-and-returns"], "CAPABILITY_STATE_UNAVAILABLE")
        self.assertEqual(states["order-export"], "CAPABILITY_STATE_ACTIVE")

    def test_doctor_says_each_thing_once_and_what_the_shop_limits(self):
        with self.world.shop.lock:
            self.world.shop.settings.change(page_limit=50)
        self.addCleanup(lambda: self.world.shop.settings.change(page_limit=300))
        found = self.world.call(f"{GATEWAY}/Diagnose")["findings"]
        for check, level in {"automatic-restock": "OK", "shop-page-limit": "WARNING", "shop-body-limit": "OK"}.items():
            findings = [finding for finding in found if finding["check"] == check]
            self.assertEqual([f["level"] for f in findings], [f"FINDING_LEVEL_{level}"], check)
        pages, = [finding for finding in found if finding["check"] == "shop-page-limit"]
        self.assertIn("pages of 50 now, not of 300", pages["message"])
        self.assertIn("Maximum Page Size", pages["remedy"])
        refunds, = [finding for finding in found if finding["check"] == "refunds-permission"]
        self.assertIn("rights to write are not", refunds["message"])


if __name__ == "__main__":
    unittest.main()
