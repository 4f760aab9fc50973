"""The shop's orders reach the OMS: once, whole, and not before the OMS can take them."""

import json
import random
import threading
import unittest
from decimal import Decimal

from reflected import Reflected
from shop_simulator import PaymentMethod, cancelling, editing, place
from shop_simulator.settings import PAYMENT_METHODS
from shop_stack import commands, events, shop_stack
from waiting import wait_until

SALES = "omsconnector.v1.SalesService"
CREATE, CANCEL = (f"magento.sales.order_management.{name}" for name in ("create", "cancel"))
PRODUCT = "magento.catalog.product_management.updated"
MAPPING = """
website base = EU-STORE vat-country=DE
attribute order delivery_note = note
"""


class OrdersCase(unittest.TestCase):
    OPTIONS = {}
    SERVICES = ("gateway", "catalog", "sales")

    def setUp(self):
        self.shop, self.oms, self.stack = self.enterContext(shop_stack(
            mapping=MAPPING, **{"services": self.SERVICES, "sales_hold_interval": "300ms", **self.OPTIONS}))
        self.client = self.enterContext(Reflected(self.stack.grpc))
        with self.shop.lock:
            self.shop.clock.move(-60)  # changes are seen once they are 5 s old
            self.shop.catalog.put({"sku": "MUG", "name": "Mug", "price": "10", "weight": "0.4"})

    def place(self, **asked):
        """A new order of two mugs, unless asked otherwise."""
        with self.shop.lock:
            return place(self.shop, {"lines": [{"sku": "MUG", "quantity": 2}], "ignore_stock": True, **asked})

    def created(self, increment_id=None):
        """The orders that the OMS was told of, each delivery once, in their order."""
        orders = [params["order"] for params in commands(self.oms, CREATE)]
        return [order for order in orders if increment_id in (None, order["id"])]

    def wait_created(self, order, timeout_s=30):
        return wait_until(
            lambda: self.created(order["increment_id"]), f"order {order['increment_id']} at the OMS", timeout_s)[0]

    def known(self, order):
        """What the connector knows of it; nothing when it does not know it."""
        found = self.client.call(f"{SALES}/ListOrders", {"page_size": 1000}).get("orders", [])
        return next((o for o in found if o["increment_id"] == order["increment_id"]), {})

    def wait_state(self, order, state):
        return wait_until(lambda: self.known(order).get("export_state") == f"ORDER_EXPORT_STATE_{state}" and self.known(order),
                          f"order {order['increment_id']} to be {state}; it is {self.known(order)}")

    def wait_polled(self, rounds=2):
        """Until whatever has been done in the shop was read."""
        def done():
            return sum(1 for r in self.shop.requests.all() if r.path.startswith("/rest/all/V1/orders?") and "updated_at" in r.path)
        before = done()
        wait_until(lambda: done() >= before + rounds, "the shop's orders to be read again")

    def sales(self):
        return self.stack.processes["sales"]


class Export(OrdersCase):
    def test_an_order_of_the_checkout_arrives_as_the_oms_wants_it(self):
        order = self.place(
            tax_rate="19", customer={"id": 5, "email": "ann@example.com"}, remote_ip="203.0.113.9",
            billing_address={"firstname": "Ann", "lastname": "B", "street": ["Way 1", "2nd floor"], "city": "Ulm",
                             "postcode": "89073", "country_id": "DE", "telephone": "0731"},
            extension={"delivery_note": "ring twice"})
        sent = self.wait_created(order)
        self.assertEqual(order["grand_total"], Decimal("29.75"))
        bill, ship = (f"{a['entity_id']}" for a in (order["billing_address"], order.shipping_address))
        payment = f"{order.payment['entity_id']}"
        tax = {"type": "Rate 19", "rate": 19}

        def amount(net, gross, tax_amount):
            return {"net_amount": net, "gross_amount": gross, "tax_amount": tax_amount, "tax_rate": 19,
                    "taxes": [{**tax, "amount": tax_amount}], "currency": "USD"}

        def mug(number):
            return {"id": f"{order.items[0].id}", "line_number": number, "product_type": "PHYSICAL", "sku": "MUG",
                    "product_name": "Mug", "shipping_line_number": 3, "shipping_address_reference": ship,
                    "payment_reference": payment, "amount": amount(10, 11.9, 1.9)}

        address = {"address_type": "customer", "first_name": "Ann", "last_name": "B", "address1": "Way 1",
                   "address2": "2nd floor", "city": "Ulm", "zip": "89073", "country_code": "DE", "phone": "0731",
                   "email": "ann@example.com"}
        for found in sent["addresses"]:
            found.pop("state", None)
        note = {"name": "note", "attribute_code": "note", "value": "ring twice"}
        method = {"name": "mdc_gateway_processor", "attribute_code": "mdc_gateway_processor", "value": "checkmo"}
        self.assertEqual(sent, {
            "id": order["increment_id"], "store": "EU-STORE", "status_reason": "", "ip": "203.0.113.9",
            "language": "en_US", "vat_country": "DE", "origin": "FRONTEND",
            "origin_date": order["created_at"].replace(" ", "T") + "+00:00",
            "customer": {"id": "5", "type": "REGISTERED", "segment": "B2C"},
            "addresses": [{"reference": bill, **address}, {"reference": ship, **address}],
            "payments": [{"reference": payment, "currency": "USD", "transactions": [{
                "payment_method": "ZEROPAY", "payment_submethod": "ZEROPAY", "amount": 29.75,
                "billing_address_reference": bill,
                "gateway_information": {"gateway_id": "OFFLINE", "account": "", "transaction_id": "",
                                        "authorization_status": "AUTHORIZED", "custom_attributes": [method]}}]}],
            "lines": [mug(1), mug(2), {
                "id": "SHIPPING", "line_number": 3, "product_type": "SHIPPING", "sku": "STANDARD",
                "product_name": "Flat Rate - Fixed", "shipping_address_reference": ship, "payment_reference": payment,
                "amount": amount(5, 5.95, 0.95)}],
            "custom_attributes": [note]})
        known = self.client.call(f"{SALES}/GetOrder", {"increment_id": order["increment_id"]})["order"]
        self.assertEqual(known["export_state"], "ORDER_EXPORT_STATE_SENT")
        self.assertEqual([line["gross_amount"]["value"] for line in known["lines"]], ["11.9", "11.9", "5.95"])

    def test_the_lines_of_any_order_add_up_to_what_is_paid(self):
        chance = random.Random(7)
        orders = []
        for _ in range(30):
            lines = [{"sku": "MUG", "quantity": chance.randint(1, 7), "price": f"{chance.randint(1, 99999) / 100}",
                      "discount_percent": chance.choice(["0", "10", "33.3"]), "weee": chance.choice(["0", "0.35"])}
                     for _ in range(chance.randint(1, 4))]
            orders.append(self.place(
                lines=lines, tax_rate=chance.choice(["0", "7", "19", "8.25"]), prices_include_tax=chance.random() < .5,
                base_currency="USD", currency=chance.choice(["USD", "EUR"]), rate=chance.choice(["1", "0.9137"]),
                gift_cards=chance.choice([[], [{"code": "SECRETCODE1", "amount": "1.5"}]]),
                customer_balance=chance.choice(["0", "0.5"])))
        for order in orders:
            sent = self.wait_created(order)
            paid = sum(Decimal(str(order.data.get(name) or 0)) for name in (
                "grand_total", "gift_cards_amount", "customer_balance_amount"))
            lines = sum(Decimal(str(line["amount"]["gross_amount"])) for line in sent["lines"])
            self.assertEqual(lines, paid, order["increment_id"])
            transaction, = sent["payments"][0]["transactions"]
            self.assertEqual(Decimal(str(transaction["amount"])), order["grand_total"])
        self.assertNotIn("SECRETCODE", json.dumps(self.created()))

    def test_seen_from_all_sides_it_is_sent_once(self):
        order = self.place()
        number = {"increment_id": order["increment_id"]}
        threads = [threading.Thread(target=self.client.call, args=(f"{SALES}/ExportOrder", number)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.wait_created(order)
        with self.shop.lock:
            submitted = json.dumps(order.as_json(), default=str)
        self.client.call(f"{SALES}/SubmitOrder", {"order_json": submitted})
        self.client.call(f"{SALES}/ExportOrder", number)
        self.wait_polled()
        self.assertEqual(len(self.created(order["increment_id"])), 1)

    def test_killed_at_any_time_it_sends_every_order_once(self):
        orders = []
        for number in range(5):
            orders += [self.place() for _ in range(8)]
            if number % 2:
                wait_until(lambda: len(self.created()) > 8 * (number - 1), "some of the orders at the OMS", 120)
            self.sales().kill()
            self.sales().start().wait_healthy()
        for order in orders:
            self.wait_created(order, timeout_s=120)  # whoever is killed while it reads keeps the others from reading for a minute
        self.wait_polled()
        self.assertEqual(sorted(o["id"] for o in self.created()), sorted(o["increment_id"] for o in orders))

    def test_an_edited_order_takes_the_place_of_the_one_before(self):
        first = self.place()
        self.wait_created(first)
        with self.shop.lock:
            second = editing.edit(first, {})
        sent = wait_until(lambda: commands(self.oms, CANCEL), "the first order to be cancelled at the OMS")
        self.assertEqual([(c["order_id"], c["sales_channel_id"]) for c in sent], [(first["increment_id"], "EU-STORE")])
        self.wait_created(second)
        found = self.client.call(f"{SALES}/GetOrder", {"increment_id": second["increment_id"]})["order"]
        self.assertEqual(found["original_order_id"], first["increment_id"])


class Waiting(OrdersCase):
    def test_an_unmapped_payment_method_holds_an_order_until_it_is_mapped(self):
        with self.shop.lock:
            self.shop.settings.change(payment_methods={**PAYMENT_METHODS, "adyen_cc": PaymentMethod()})
        order = self.place(payment="adyen_cc")
        held = self.wait_state(order, "HELD")
        self.assertIn('payment method "adyen_cc" is not mapped', held["reason"])
        shown = self.stack.omsctl("orders", "list", "--state", "HELD")
        self.assertIn("adyen_cc", shown.stdout)
        self.assertEqual(self.created(), [])
        self.sales().stop()
        with open(self.stack.settings["COMMERCE_MAPPING_FILE"], "a", encoding="utf-8") as mapping:
            mapping.write("payment adyen_cc = custom gateway=ADYEN\n")
        self.sales().start().wait_healthy()
        sent = self.wait_created(order)
        transaction, = sent["payments"][0]["transactions"]
        self.assertEqual((transaction["payment_method"], transaction["gateway_information"]["gateway_id"]), ("adyen_cc", "ADYEN"))
        self.wait_state(order, "SENT")

    def test_an_order_waits_for_the_catalog_to_have_exported_what_it_sells(self):
        self.wait_created(self.place())
        self.stack.processes["catalog"].stop()
        with self.shop.lock:
            self.shop.catalog.put({"sku": "CUP", "name": "Cup", "price": "3"})
        order = self.place(lines=[{"sku": "CUP", "quantity": 1}])
        held = self.wait_state(order, "HELD")
        self.assertIn("the catalog service does not answer", held["reason"])
        self.stack.processes["catalog"].start().wait_healthy()
        self.wait_created(order, timeout_s=120)  # the longer it was away, the more seldom the order is tried
        told = [e["product"]["sku"] for e in events(self.oms, PRODUCT)]
        self.assertIn("CUP", told)

    def test_an_order_waits_for_the_oms_to_take_what_it_sells(self):
        self.wait_created(self.place())
        self.oms.faults.answer(503, path="/events")
        with self.shop.lock:
            self.shop.catalog.put({"sku": "CUP", "name": "Cup", "price": "3"})
            self.shop.catalog.put({"sku": "MUG", "name": "Mug, blue", "price": "11"})
        order = self.place(lines=[{"sku": "CUP", "quantity": 1}])
        wait_until(lambda: {"CUP", "MUG"} <= self.refused_products(), "both to be refused by the OMS")
        asked = self.client.call(f"{SALES}/ExportOrder", {"increment_id": order["increment_id"]})["order"]
        self.assertEqual(asked["export_state"], "ORDER_EXPORT_STATE_HELD")
        self.assertIn('SKU "CUP"', asked["reason"])
        # The OMS has had the other one before: only the news about it waits.
        self.wait_created(self.place())
        self.assertEqual(self.created(order["increment_id"]), [])
        self.oms.faults.clear()
        self.wait_created(order, timeout_s=120)
        self.assertIn("CUP", [e["product"]["sku"] for e in events(self.oms, PRODUCT)])

    def refused_products(self):
        """Those whose messages have reached the OMS, while it takes none."""
        messages = [json.loads(r.body) for r in self.oms.requests.all() if r.path == "/events"]
        return {m["params"]["product"]["sku"] for m in messages if m["method"] == PRODUCT and "product" in m["params"]}

    def test_what_is_cancelled_before_it_was_sent_is_never_sent(self):
        with self.shop.lock:
            self.shop.settings.change(payment_methods={**PAYMENT_METHODS, "later": PaymentMethod()})
        order = self.place(payment="later")
        self.wait_state(order, "HELD")
        with self.shop.lock:
            cancelling.cancel(order)
        wait_until(lambda: not self.known(order), "the order to be forgotten")
        self.assertEqual(self.created(), [])


class OldOrders(OrdersCase):
    OPTIONS = {"sales_export_since": "2100-01-01T00:00:00Z"}

    def test_orders_from_before_are_left_alone_unless_they_are_asked_for(self):
        order = self.place()
        self.wait_polled(3)
        self.assertEqual(self.known(order), {})
        shown = self.stack.omsctl("orders", "export", order["increment_id"])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertTrue(shown.stdout.startswith(f"ORDER {order['increment_id']}"), shown.stdout)
        self.wait_created(order)
        shown = self.stack.omsctl("orders", "export", "none")
        self.assertEqual((shown.returncode, shown.stdout), (1, ""))
        self.assertIn("NOT_FOUND", shown.stderr)


class Carrier(OrdersCase):
    OPTIONS = {"sales_carrier": "DHL", "sales_carrier_tracking_link": "https://t.example/{number}"}

    def test_the_oms_is_told_how_a_parcel_goes_while_it_waits(self):
        endpoint = self.oms.bus.wait_for_registration(
            30, method="magento.logistics.carrier_management.request_shipping_details")
        shipment = {"shipment_request_id": "R-1", "order_id": "7", "store_id": "EU-STORE", "source_id": "S-1",
                    "packages": [{"id": "P-1", "items": [1, 2]}]}
        message = {"jsonrpc": "2.0", "id": "q-1", "params": {"shipment": shipment},
                   "method": "magento.logistics.carrier_management.request_shipping_details"}
        answer = self.oms.bus.deliver(endpoint, json.dumps(message).encode())
        self.assertEqual(answer.result, [{
            "id": "P-1", "items": [1, 2], "carrier": "DHL", "tracking_number": "R-1-P-1",
            "tracking_link": "https://t.example/R-1-P-1"}])


if __name__ == "__main__":
    unittest.main()
