"""Feature 2, order export: an order reaches the OMS as the OMS wants it, once, and the shop shows how it stands there."""

import unittest

from oms_simulator.order_life import CREATE
from shop_simulator import editing
from shop_simulator.clock import seconds
from story import Scenario, told
from waiting import wait_until
from wire import ANY, attribute, differences, taxed
from world import SALES

MUG = {"sku": "MUG", "name": "Blue mug", "price": "10.01", "weight": "0.4"}
CAP = {"sku": "CAP", "name": "Black cap", "price": "7.00"}
REFUSED = "magento.common.error_management.created"


def unpromoted(price):
    """Nothing, or a price without promotions."""
    return lambda given: given is None or (given["original_price"] == price and not given["promotions"])


class OrderExport(Scenario):
    PRODUCTS = [MUG, CAP]

    def line(self, number, sku, name, item, amount, price, address, **more):
        return {"id": str(item), "line_number": number, "product_type": "PHYSICAL", "sku": sku, "product_name": name,
                "shipping_line_number": 5, "shipping_address_reference": address, "payment_reference": ANY, "amount": amount,
                "promotions_info": unpromoted(price), **more}

    def test_order_on_the_wire_is_what_the_catalogue_of_messages_says(self):
        with self.world.shop.lock:
            self.world.shop.clock.fix(seconds("2024-02-03 04:05:06"))
        self.addCleanup(lambda: self.world.shop.clock.fix(None))

        def story(test, telling):
            order = telling.order({"MUG": 3, "CAP": 1}, tax_rate="19",
                                  shipping={"amount": "5", "tax_rate": "19", "description": "Flat Rate - Fixed"},
                                  customer={"id": 7, "email": "ann@example.com", "firstname": "Ann", "lastname": "Example"},
                                  billing_address={"street": ["1 Main Street", "Flat 2"], "city": "Bonn", "postcode": "53111",
                                                   "country_id": "DE", "region": "NRW", "region_code": "NW"})
            sent = order.wait_until_sent()
            billing = str(order.placed["billing_address"]["entity_id"])
            shipping = order.placed["extension_attributes"]["shipping_assignments"][0]["shipping"]["address"]
            delivery = str(shipping["entity_id"])
            mug, cap = order.item("MUG")["item_id"], order.item("CAP")["item_id"]
            address = {"address_type": "customer", "first_name": "Ann", "last_name": "Example", "address1": "1 Main Street",
                       "address2": "Flat 2", "city": "Bonn", "state": "NW", "zip": "53111", "country_code": "DE",
                       "phone": "555-0100", "email": "ann@example.com"}
            # 3 × 10.01 is 30.03, its tax 5.71: what three units can't share evenly is the last one's.
            unit, last = taxed("10.01", "1.90", 19), taxed("10.01", "1.91", 19)
            test.assertEqual(differences({
                "id": order.id, "store": "EU-STORE", "ip": "203.0.113.7", "language": "en_GB", "vat_country": "DE",
                "origin": "FRONTEND", "origin_date": "2024-02-03T04:05:06+00:00",
                "customer": {"id": "7", "type": "REGISTERED", "segment": "B2C"},
                "addresses": [{"reference": billing, **address}, {"reference": delivery, **address}],
                "payments": [{"reference": ANY, "currency": "EUR", "transactions": [{
                    "payment_method": "ZEROPAY", "payment_submethod": "ZEROPAY", "amount": 50.02,
                    "billing_address_reference": billing,
                    "gateway_information": {"gateway_id": "OFFLINE", "authorization_status": "AUTHORIZED",
                                            "custom_attributes": [attribute("mdc_gateway_processor", "checkmo")]}}]}],
                "lines": [
                    test.line(1, "MUG", "Blue mug", mug, unit, 10.01, delivery),
                    test.line(2, "MUG", "Blue mug", mug, unit, 10.01, delivery),
                    test.line(3, "MUG", "Blue mug", mug, last, 10.01, delivery),
                    test.line(4, "CAP", "Black cap", cap, taxed("7.00", "1.33", 19), 7.00, delivery),
                    {"id": "SHIPPING", "line_number": 5, "product_type": "SHIPPING", "sku": "STANDARD",
                     "product_name": "Flat Rate - Fixed", "shipping_address_reference": delivery, "payment_reference": ANY,
                     "amount": taxed("5.00", "0.95", 19), "promotions_info": unpromoted(5)}],
            }, sent), [])

        self.tell_in_all_ways(story)

    @told
    def test_status_in_the_shop_follows_the_oms_and_never_goes_back(self, story):
        order = story.order({"MUG": 1})
        order.created()
        story.then(order, status="oms_received", exported="ACCEPTED")
        order.updated("ONHOLD", "PENDING_REMORSE_TIME")
        story.then(order, status="oms_on_hold")
        order.updated("LOGISTICS", "READYTOSHIP")
        story.ends(order, status="oms_fulfilment", state="new", exported="ACCEPTED", oms_status="LOGISTICS", invoices=0,
                   shipments=0, attention=False)

    @told
    def test_order_that_the_poll_finds_is_exported_once(self, story):
        with self.world.shop.lock:
            self.world.shop.clock.move(-15)  # what is newer than 5 s may still change (magento-rules.md §6)
        try:
            order = story.order({"CAP": 1}, exported=False)
        finally:
            with self.world.shop.lock:
                self.world.shop.clock.move(15)
        order.wait_until_sent()
        order.created()
        story.ends(order, exported="ACCEPTED", status="oms_received")

    @told
    def test_order_waits_for_the_catalog_and_goes_by_itself(self, story):
        sku = f"NEW-{story.name}"
        with self.world.shop.lock:
            self.world.shop.catalog.put({"sku": sku, "price": "3"})
            self.world.shop.stock.msi.put("eu-web", sku, 10, 1)
        order = story.order({sku: 1}, exported=False)
        held = order.export()
        self.assertEqual(held["export_state"], "ORDER_EXPORT_STATE_HELD")
        self.assertIn(sku, held["reason"])
        self.world.export([sku])
        order.wait_until_sent()
        order.created()
        story.ends(order, exported="ACCEPTED", reason="")

    @told
    def test_order_that_the_oms_refuses_is_kept_with_its_reason_and_can_be_sent_again(self, story):
        order = story.order({"CAP": 1})
        [first] = self.world.oms.received.all(CREATE, lambda params: params["order"]["id"] == order.id)
        story.says((REFUSED, {"topic": CREATE, "message": "unknown SKU CAP", "delivery_id": first["id"], "payload": {}}))
        story.by_and_by(lambda: order.facts(["exported"])["exported"] == "FAILED", "the export to have failed")
        story.ends(order, exported="FAILED", reason=lambda reason: "unknown SKU CAP" in reason, state="new")
        story.by_and_by(lambda: [each for each in order.comments() if "unknown SKU CAP" in each], "the shop to show it")
        story.both(lambda: self.world.call(f"{SALES}/ExportOrder", {"increment_id": order.id}))
        wait_until(lambda: len({m["id"] for m in self.world.oms.received.all(
            CREATE, lambda params: params["order"]["id"] == order.id)}) >= 2, "it to be sent again")
        order.created()
        story.ends(order, exported="ACCEPTED", reason="")

    @told
    def test_order_that_an_administrator_edits_is_a_new_one_that_names_the_old(self, story):
        order = story.order({"CAP": 2})
        order.created()
        story.ends(order, exported="ACCEPTED")
        with self.world.shop.lock:
            edited = editing.edit(self.world.shop.sales.order(order.entity_id), {"lines": [{"sku": "CAP", "quantity": 1}]})
            number = edited["increment_id"]
        self.assertEqual(number, f"{order.id}-1")
        story.both(lambda: self.world.call(f"{SALES}/ExportOrder", {"increment_id": number}))
        [sent] = self.world.oms.received.wait(CREATE, lambda params: params["order"]["id"] == number)
        self.assertEqual(sent["params"]["order"]["original_order_id"], order.id)
        self.assertEqual(self.world.call(f"{SALES}/GetOrder", {"increment_id": number})["order"]["original_order_id"], order.id)

    @told
    def test_status_that_one_order_can_not_have_is_still_given_to_others(self, story):
        first = story.order({"CAP": 1})
        with self.world.shop.lock:  # it is cancelled there before the OMS says anything
            editing.edit(self.world.shop.sales.order(first.entity_id), {"lines": [{"sku": "CAP"}]})
        first.created()
        story.ends(first, exported="ACCEPTED", state="canceled")
        self.world.settle()
        second = story.order({"CAP": 1})
        second.created()
        story.ends(second, status="oms_received")


if __name__ == "__main__":
    unittest.main()
