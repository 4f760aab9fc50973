"""Invoice and capture, a test for every rule of magento-rules §1."""

from decimal import Decimal

from shop_case import MUG, Case

SHIRT = [{"sku": "SHIRT-S", "price": "20", "attributes": {"size": "1"}, "stock": {"qty": 100}},
         {"sku": "SHIRT", "type": "configurable", "variants": ["SHIRT-S"], "super_attributes": ["size"]}]
PARTS = [{"sku": sku, "price": price, "stock": {"qty": 100}} for sku, price in (("CUP", "3"), ("POT", "7"))]
OPTIONS = [{"selections": [{"sku": "CUP", "quantity": 2}]}, {"selections": [{"sku": "POT"}]}]
FIXED = {"sku": "FIXED", "type": "bundle", "price_type": 1, "price": "15", "options": OPTIONS}
DYNAMIC = {"sku": "DYNAMIC", "type": "bundle", "price_type": 0, "options": OPTIONS}
EBOOK = {"sku": "EBOOK", "type": "virtual", "price": "4", "stock": {"manage_stock": False}}
CATALOG = [MUG, *SHIRT, *PARTS, FIXED, DYNAMIC, EBOOK]


class Invoices(Case):
    def shop(self, products=CATALOG, **settings):
        return super().shop(products, **settings)

    def invoice(self, shop, order, *items, **body):
        """The invoice, as the shop shows it."""
        number = self.post(shop, f"/V1/order/{order['entity_id']}/invoice", {
            "items": [{"order_item_id": item.id, "qty": quantity} for item, quantity in items], **body})
        return self.get(shop, f"/V1/invoices/{number}")

    def no_invoice(self, shop, order, items, said, **body):
        return self.refused(shop, "POST", f"/V1/order/{order['entity_id']}/invoice", {
            "items": [{"order_item_id": item.id, "qty": quantity} for item, quantity in items], **body}, 400, said)

    def test_qty_to_invoice_is_ordered_less_invoiced_less_canceled_and_0_for_dummies(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 5), {"sku": "SHIRT", "variant": "SHIRT-S"}, "DYNAMIC", "FIXED")
        self.invoice(shop, order, (order.items[0], 2))
        order.items[0]["qty_canceled"] = Decimal(1)
        self.assertEqual([(i["sku"], i.to_invoice) for i in order.items], [
            ("MUG", 2), ("SHIRT-S", 1), ("SHIRT-S", 0), ("DYNAMIC-CUP-POT", 0), ("CUP", 2), ("POT", 1),
            ("FIXED-CUP-POT", 1), ("CUP", 0), ("POT", 0)])

    def test_empty_items_invoice_everything_left(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 3), {"sku": "SHIRT", "variant": "SHIRT-S", "quantity": 2})
        self.invoice(shop, order, (order.items[0], 1))
        rest = self.invoice(shop, order)
        self.assertEqual({line["sku"]: line["qty"] for line in rest["items"]}, {"MUG": 2, "SHIRT-S": 2})
        self.assertEqual(rest["grand_total"], 60)

    def test_price_decides_who_is_invoiced(self):
        shop = self.shop()
        for line, named, total in (({"sku": "SHIRT", "variant": "SHIRT-S", "quantity": 3}, {0: 1}, 20),
                                   (("FIXED", 3), {0: 1}, 15), (("DYNAMIC", 3), {1: 2}, 6),
                                   (("DYNAMIC", 3), {1: 2, 2: 1}, 13)):
            with self.subTest(line=line, named=named):
                order = self.order(shop, line)
                made = self.invoice(shop, order, *((order.items[n], quantity) for n, quantity in named.items()))
                self.assertEqual(made["grand_total"], total)

    def test_naming_the_dummy_side_invoices_all_that_is_left(self):
        shop = self.shop()
        for line, named, total in (({"sku": "SHIRT", "variant": "SHIRT-S", "quantity": 3}, 1, 60),
                                   (("FIXED", 3), 1, 45),
                                   (("DYNAMIC", 3), 0, 39)):
            with self.subTest(line=line):
                order = self.order(shop, line)
                self.assertEqual(self.invoice(shop, order, (order.items[named], 1))["grand_total"], total)

    def test_over_invoicing_is_400(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2))
        answer = self.no_invoice(shop, order, [(order.items[0], 3)],
                                 'We found an invalid quantity to invoice item "%1".')
        self.assertEqual(answer["parameters"], ["MUG"])

    def test_nothing_left_is_400_without_products(self):
        for version, said in (("2.2", "You can't create an invoice without products."),
                              ("2.4", "The invoice can't be created without products. Add products and try again.")):
            shop = self.shop(version=version)
            order = self.order(shop, ("MUG", 1))
            self.invoice(shop, order)
            self.no_invoice(shop, order, [(order.items[0], 0)], said)

    def test_refused_in_states(self):
        for state in ("payment_review", "holded", "canceled", "complete", "closed"):
            with self.subTest(state):
                shop = self.shop()
                order = self.order(shop, "MUG")
                order.set_state(state)
                self.no_invoice(shop, order, [], f"An invoice cannot be created when an order has a status of {state}")

    def test_capture_false_on_an_authorised_order_marks_it_paid_without_touching_the_gateway(self):
        shop = self.shop()
        order = self.order(shop, "MUG", payment="gateway")
        self.assertEqual(self.invoice(shop, order)["state"], 2)
        shown = self.shown(shop, order)
        self.assertEqual((shown["total_paid"], shown["payment"]["amount_paid"]), (10, 10))
        self.assertEqual(self.transactions(shop, order), [("authorization", 0)])
        self.assertEqual([entry["operation"] for entry in shop.gateway.ledger], ["authorize"])

    def test_capture_true_with_a_closed_authorisation_ends_paid_without_money(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2), payment="gateway_single_capture")
        self.assertEqual(self.invoice(shop, order, (order.items[0], 1), capture=True)["state"], 2)
        self.assertEqual(self.transactions(shop, order), [("authorization", 1), ("capture", 1)])
        second = self.invoice(shop, order, (order.items[0], 1), capture=True)
        self.assertEqual((second["state"], second["transaction_id"]), (2, None))
        shown = self.shown(shop, order)
        self.assertEqual((shown["total_paid"], shown["payment"]["base_amount_paid_online"]), (20, 10))
        self.assertEqual([entry["amount"] for entry in shop.gateway.ledger if entry["operation"] == "capture"], [10])

    def test_partial_captures_where_the_method_can(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 3), payment="gateway")
        for _ in range(3):
            self.invoice(shop, order, (order.items[0], 1), capture=True)
        self.assertEqual(self.transactions(shop, order), [("authorization", 1), *[("capture", 1)] * 3])

    def test_invoice_of_a_gateway_without_capture_and_with_closed_authorisation_stays_open(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2), payment="gateway_single_capture")
        self.invoice(shop, order, (order.items[0], 1), capture=True)
        self.assertEqual(self.invoice(shop, order, (order.items[0], 1))["state"], 1)

    def test_all_shipping_goes_on_the_first_invoice_even_a_virtual_one(self):
        shop = self.shop(shipping_includes_tax=True)
        order = self.order(shop, "EBOOK", ("MUG", 2), shipping={"amount": "5.95", "discount": "1"}, tax_rate=19)
        first = self.invoice(shop, order, (order.items[0], 1))
        self.assertEqual([first[name] for name in ("shipping_amount", "shipping_tax_amount", "shipping_incl_tax")],
                         [5, Decimal("0.79"), Decimal("5.95")])
        self.assertEqual(first["shipping_discount_tax_compensation_amount"], Decimal("0.16"))
        rest = self.invoice(shop, order)
        self.assertEqual(rest["shipping_amount"], 0)
        self.assertEqual(first["grand_total"] + rest["grand_total"], self.shown(shop, order)["grand_total"])

    def test_each_rest_invoice_resets_the_status_to_the_default_of_the_state(self):
        shop = self.shop()
        shop.settings.statuses["oms_received"] = ["processing"]
        order = self.order(shop, ("MUG", 2))
        self.invoice(shop, order, (order.items[0], 1))
        self.post(shop, f"/V1/orders/{order['entity_id']}/comments",
                  {"statusHistory": {"status": "oms_received", "comment": "ok"}})
        self.assertEqual(order["status"], "oms_received")
        self.invoice(shop, order)
        self.assertEqual(order["status"], "processing")

    def test_orders_of_a_sale_are_fully_invoiced_at_checkout(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2), payment="gateway_sale")
        self.assertEqual((order["state"], order["total_paid"]), ("processing", 20))
        self.assertEqual(self.transactions(shop, order), [("capture", 1)])
        self.no_invoice(shop, order, [], "without products")

    def test_gateway_that_refuses_leaves_nothing(self):
        shop = self.shop()
        order = self.order(shop, "MUG", payment="gateway")
        shop.gateway.plan("capture")
        self.no_invoice(shop, order, [], "Could not save an invoice, see error log for details", capture=True)
        self.assertEqual((self.transactions(shop, order), order.get("total_paid"), order.items[0]["qty_invoiced"]),
                         ([("authorization", 0)], None, 0))
        self.invoice(shop, order, capture=True)

    def test_could_not_save_can_come_after_the_gateway_captured(self):
        shop = self.shop()
        order = self.order(shop, "MUG", payment="gateway")
        shop.gateway.plan("capture", after=True)
        self.no_invoice(shop, order, [], "Could not save an invoice", capture=True)
        self.assertEqual([(e["operation"], e["refused"]) for e in shop.gateway.ledger],
                         [("authorize", False), ("capture", False)])
        self.assertEqual(self.get(shop, "/V1/invoices?searchCriteria")["total_count"], 0)

    def test_open_invoice_is_captured_or_voided_later(self):
        for what, state, operation in (("capture", 2, "capture"), ("void", 3, "void")):
            with self.subTest(what):
                shop = self.shop()
                method = {"gateway": True, "action": "authorize", "can_void": True}
                shop.settings.change(payment_methods={"late": method})
                order = self.order(shop, "MUG", payment="late")
                made = self.invoice(shop, order)
                self.assertEqual((made["state"], order.get("total_paid")), (1, None))
                shop.settings.change(payment_methods={"late": {**method, "can_capture": True}})
                self.assertIs(self.post(shop, f"/V1/invoices/{made['entity_id']}/{what}"), True)
                self.assertEqual(self.get(shop, f"/V1/invoices/{made['entity_id']}")["state"], state)
                self.assertEqual(order.items[0].to_invoice, 1 if what == "void" else 0)
                self.assertEqual(shop.gateway.ledger[-1]["operation"], operation)

    def test_paid_invoice_is_not_captured_again(self):
        shop = self.shop()
        order = self.order(shop, "MUG", payment="gateway")
        made = self.invoice(shop, order)
        self.refused(shop, "POST", f"/V1/invoices/{made['entity_id']}/capture", {}, 400, "not open")

    def transactions(self, shop, order):
        found = self.get(shop, "/V1/transactions?searchCriteria[filter_groups][0][filters][0][field]=order_id&"
                         f"searchCriteria[filter_groups][0][filters][0][value]={order['entity_id']}")["items"]
        return [(t["txn_type"], t["is_closed"]) for t in found]
