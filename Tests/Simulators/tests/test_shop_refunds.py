"""Refunds and returns, a test for every rule of magento-rules §3 about them."""

from decimal import Decimal

from shop_case import MUG
from test_shop_invoices import CATALOG
from test_shop_states import Sales

HALF = {"sku": "HALF", "price": "5", "stock": {"qty": 10}}


class Refunding(Sales):
    def paid(self, shop, *lines, payment="checkmo", **asked):
        order = self.order(shop, *lines, payment=payment, **{"shipping": {"amount": "5"}, **asked})
        self.do(shop, order, "invoice", capture=payment != "checkmo")
        return order

    def memo(self, shop, order, *items, **arguments):
        number = self.do(shop, order, "refund", *items, arguments=arguments)
        return self.get(shop, f"/V1/creditmemo/{number}")

    def no_memo(self, shop, order, items, said, path=None, **arguments):
        return self.refused(shop, "POST", path or f"/V1/order/{order['entity_id']}/refund", {
            "items": [{"order_item_id": order.items[n].id, "qty": quantity} for n, quantity in items],
            "arguments": arguments}, 400, said)


class Refunds(Refunding):
    def test_empty_items_refund_all_refundable_units(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 2), "CUP")
        self.memo(shop, order, (0, 1), shipping_amount=0)
        memo = self.memo(shop, order, shipping_amount=0)
        self.assertEqual({line["sku"]: line["qty"] for line in memo["items"]}, {"MUG": 1, "CUP": 1})

    def test_explicit_zeros_refund_no_units(self):
        shop = self.shop()
        memo = self.memo(shop, self.paid(shop, "MUG"), (0, 0), shipping_amount=0, adjustment_positive="2.5")
        self.assertEqual((memo["grand_total"], [line["qty"] for line in memo["items"]]), (Decimal("2.5"), [0]))

    def test_omitted_shipping_amount_refunds_all_remaining_shipping(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 2), tax_rate=10)
        self.assertEqual(self.memo(shop, order, (0, 1), shipping_amount=2)["grand_total"], Decimal("13.2"))
        memo = self.memo(shop, order, (0, 1))
        self.assertEqual((memo["shipping_amount"], memo["grand_total"]), (3, Decimal("14.3")))

    def test_amounts_are_in_base_currency(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 2), currency="EUR", base_currency="USD", rate="0.9")
        memo = self.memo(shop, order, (0, 0), shipping_amount=2, adjustment_positive=1)
        self.assertEqual((memo["base_grand_total"], memo["grand_total"]), (3, Decimal("2.7")))

    def test_amount_only_memo_needs_refundable_shipping_left_in_older_versions(self):
        for version, works in (("2.2", False), ("2.4", True)):
            with self.subTest(version):
                shop = self.shop(version=version)
                order = self.paid(shop, "MUG")
                self.memo(shop, order, (0, 0), shipping_amount=0, adjustment_positive=1)
                self.memo(shop, order, (0, 0), shipping_amount=5)
                if works:
                    self.memo(shop, order, (0, 0), shipping_amount=0, adjustment_positive=1)
                else:
                    self.no_memo(shop, order, [(0, 0)], "You can't create a creditmemo without products.",
                                 shipping_amount=0, adjustment_positive=1)

    def test_most_money_available_is_what_was_paid(self):
        shop = self.shop()
        self.no_memo(shop, self.paid(shop, "MUG"), [(0, 1)],
                     "Creditmemo Document Validation Error(s):\nThe most money available to refund "
                     "is $15.00.", adjustment_positive="0.01")

    def test_maximum_shipping_amount(self):
        shop = self.shop()
        order = self.paid(shop, "MUG")
        self.memo(shop, order, (0, 0), shipping_amount=2)
        answer = self.no_memo(shop, order, [(0, 0)], "Maximum shipping amount allowed to refund is: %1",
                              shipping_amount="3.01")
        self.assertEqual(answer["parameters"], ["$3.00"])

    def test_too_many_units(self):
        shop = self.shop()
        self.no_memo(shop, self.paid(shop, "MUG"), [(0, 2)],
                     'greater than the unrefunded quantity for product SKU "MUG".')

    def test_price_decides_who_is_refunded(self):
        for line, named, total in (({"sku": "SHIRT", "variant": "SHIRT-S", "quantity": 2}, (0, 1), 20),
                                   (("FIXED", 2), (0, 1), 15),
                                   (("DYNAMIC", 2), (1, 2), 6)):
            with self.subTest(line=line):
                shop = self.shop()
                self.assertEqual(self.memo(shop, self.paid(shop, line), named, shipping_amount=0)["grand_total"], total)

    def test_refused_in_states(self):
        for state in ("payment_review", "holded", "canceled", "closed"):
            with self.subTest(state):
                shop = self.shop()
                order = self.paid(shop, "MUG")
                order.set_state(state)
                self.no_memo(shop, order, [], f"A creditmemo can not be created when an order has a status of {state}")

    def test_refused_when_paid_equals_refunded(self):
        shop = self.shop()
        self.no_memo(shop, self.order(shop, "MUG"), [], "The order does not allow a creditmemo to be created.")
        order = self.paid(shop, "MUG", "CUP")
        self.memo(shop, order, (0, 0), shipping_amount=0, adjustment_positive=18)
        self.no_memo(shop, order, [(0, 1)], "does not allow a creditmemo", shipping_amount=0)

    def test_zero_total_memo_only_if_the_configuration_allows_it(self):
        for settings, works in (({}, True), ({"zero_total_refund": False}, False), ({"version": "2.2"}, False)):
            with self.subTest(settings):
                shop = self.shop(**settings)
                order = self.paid(shop, {"sku": "MUG", "price": "0"}, "CUP")
                if works:
                    self.assertEqual(self.memo(shop, order, (0, 1), shipping_amount=0)["grand_total"], 0)
                else:
                    self.no_memo(shop, order, [(0, 1)], "The credit memo's total must be positive.", shipping_amount=0)

    def test_tax_per_unit_is_the_remaining_over_the_remaining_quantity(self):
        shop = self.shop()
        order = self.paid(shop, {"sku": "MUG", "price": "5", "quantity": 3, "tax_rate": "6.6667"},
                          shipping={"amount": "0"})
        self.assertEqual(order.items[0]["tax_amount"], 1)
        taxes = [self.memo(shop, order, (0, 1), shipping_amount=0)["tax_amount"] for _ in range(3)]
        self.assertEqual(taxes, [Decimal(".33"), Decimal(".34"), Decimal(".33")])

    def test_refund_resets_the_status(self):
        shop = self.shop()
        shop.settings.statuses["oms_fulfilment"] = ["processing"]
        order = self.paid(shop, ("MUG", 2))
        order["status"] = "oms_fulfilment"
        self.memo(shop, order, (0, 1), shipping_amount=0)
        self.assertEqual(order["status"], "processing")

    def test_gift_card_part_comes_back_before_money(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 2), gift_cards=[{"code": "G", "amount": 12}], shipping={"amount": "0"})
        self.assertEqual((order["grand_total"], order["total_paid"]), (8, 8))
        self.assertEqual([self.memo(shop, order, (0, 1), shipping_amount=0)["grand_total"] for _ in range(2)], [0, 8])
        self.assertEqual(self.shown(shop, order)["extension_attributes"]["gift_cards_refunded"], 12)


class ThroughInvoices(Refunding):
    def through(self, invoice):
        return f"/V1/invoice/{invoice}/refund"

    def refund(self, shop, order, invoice, *items, online=True, **arguments):
        number = self.post(shop, self.through(invoice), {
            "isOnline": online, "items": [{"order_item_id": order.items[n].id, "qty": q} for n, q in items],
            "arguments": arguments})
        return self.get(shop, f"/V1/creditmemo/{number}")

    def parts(self, shop):
        """An order in two invoices; the first holds the shipping."""
        order = self.order(shop, ("MUG", 3), payment="gateway", shipping={"amount": "5"})
        return order, [self.do(shop, order, "invoice", (0, quantity), capture=True) for quantity in (1, 2)]

    def test_online_refund_only_through_an_invoice(self):
        shop = self.shop()
        order, (first, second) = self.parts(shop)
        self.do(shop, order, "refund", (0, 1), isOnline=True, arguments={"shipping_amount": 0})
        self.assertNotIn("refund", [e["operation"] for e in shop.gateway.ledger])
        memo = self.refund(shop, order, second, (0, 1), shipping_amount=0)
        self.assertEqual(shop.gateway.ledger[-1]["operation"], "refund")
        self.assertEqual((memo["invoice_id"], order["total_online_refunded"]), (second, 10))

    def test_invoice_route_is_capped_by_its_invoice(self):
        shop = self.shop()
        order, (first, second) = self.parts(shop)
        self.no_memo(shop, order, [(0, 1)], "The most money available to refund is $15.00.", self.through(first),
                     adjustment_positive=1)
        self.assertEqual(self.refund(shop, order, second, (0, 3), shipping_amount=0)["items"][0]["qty"], 2)
        self.no_memo(shop, order, [(0, 1)], "We can't create creditmemo for the invoice.", self.through(second))

    def test_shipping_only_through_the_invoice_that_holds_it(self):
        shop = self.shop()
        order, (first, second) = self.parts(shop)
        self.no_memo(shop, order, [(0, 1)], "Maximum shipping amount", self.through(second), shipping_amount=1)
        self.assertEqual(self.refund(shop, order, second, (0, 1))["grand_total"], 10)
        self.assertEqual(self.refund(shop, order, first, (0, 1))["grand_total"], 15)

    def test_offline_methods_do_not_refund_through_an_invoice(self):
        shop = self.shop()
        order = self.paid(shop, "MUG")
        self.no_memo(shop, order, [], "We can't create creditmemo for the invoice.",
                     self.through(next(iter(shop.sales.invoices))))

    def test_gateway_that_refuses_leaves_nothing(self):
        shop = self.shop()
        order, (first, _) = self.parts(shop)
        for after in (False, True):
            shop.gateway.plan("refund", after=after)
            self.refused(shop, "POST", self.through(first), {"isOnline": True, "items": []}, 400,
                         "Could not save a Credit Memo")
        self.assertEqual((len(shop.sales.creditmemos), order.get("total_refunded")), (0, None))
        self.assertEqual([e["refused"] for e in shop.gateway.ledger if e["operation"] == "refund"], [True, False])


class Restocking(Refunding):
    def after(self, shop, shipped, back, msi):
        order = self.paid(shop, ("MUG", 4))
        if shipped:
            self.do(shop, order, "ship", (0, shipped))
        named = {"extension_attributes": {"return_to_stock_items": [order.items[0].id]}} if back else {}
        self.memo(shop, order, (0, 4), shipping_amount=0, **named)
        return (shop.stock.msi.quantity("default", "MUG"),
                shop.stock.msi.salable("MUG", 1)) if msi else shop.stock.items.get("MUG")["qty"]

    def test_restock_with_sources(self):
        for shipped, back, expected in ((4, True, (100, 100)), (4, False, (96, 96)), (0, True, (100, 100)),
                                        (0, False, (96, 96)),
                                        (1, True, (100, 100)), (1, False, (96, 96))):
            with self.subTest(shipped=shipped, back=back):
                self.assertEqual(self.after(self.shop(), shipped, back, True), expected)

    def test_restock_without_sources(self):
        for shipped, back, expected in ((4, True, 100), (4, False, 96), (0, True, 100), (0, False, 96)):
            with self.subTest(shipped=shipped, back=back):
                self.assertEqual(self.after(self.shop(msi=False), shipped, back, False), expected)

    def test_automatic_restock_ignores_the_empty_list(self):
        for msi, expected in ((True, (100, 100)), (False, 100)):
            self.assertEqual(self.after(self.shop(msi=msi, auto_restock=True), 4, False, msi), expected)


class Entities(Refunding):
    def test_memo_entity_takes_totals_as_given_and_keeps_balance_fields(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 2))
        memo = self.post(shop, "/V1/creditmemo/refund", {"offlineRequested": True, "creditmemo": {
            "order_id": order["entity_id"], "items": [{"order_item_id": order.items[0].id, "qty": 1}], "grand_total": 9,
            "base_grand_total": 9, "customer_balance_amount": 3, "base_customer_balance_amount": 3}})
        self.assertEqual((memo["grand_total"], memo["customer_balance_amount"], order["total_refunded"]), (9, 3, 9))
        status, answer = self.call(shop, "PUT", f"/V1/creditmemo/{memo['entity_id']}", {})
        self.assertEqual((status, answer["message"]), (400, "You can not cancel Credit Memo"))


class Returns(Refunding):
    CARD = {"sku": "CARD", "type": "giftcard", "price": "25", "stock": {"qty": 9}}

    def returned(self, shop, order, n, quantity=1, **more):
        return {"rmaDataObject": {"order_id": order["entity_id"], "items": [{
            "order_item_id": order.items[n].id, "qty_requested": quantity, "reason": 1, "condition": 4,
            "resolution": 8, **more}]}}

    def test_no_rma_for_virtual_downloadable_and_gift_card_items(self):
        shop = self.shop([*CATALOG, self.CARD,
                          {"sku": "SONG", "type": "downloadable", "stock": {"manage_stock": False}}])
        order = self.paid(shop, "EBOOK", "CARD", "SONG", "MUG")
        self.do(shop, order, "ship")
        for n in range(3):
            self.refused(shop, "POST", "/V1/returns", self.returned(shop, order, n), 400, "can't be returned")
        self.post(shop, "/V1/returns", self.returned(shop, order, 3))

    def test_not_more_than_was_shipped(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 3))
        self.do(shop, order, "ship", (0, 2))
        self.post(shop, "/V1/returns", self.returned(shop, order, 0))
        self.refused(shop, "POST", "/V1/returns", self.returned(shop, order, 0, 2), 400, "greater than you can return")

    def test_quantities_and_statuses_move_forward_only(self):
        shop = self.shop()
        order = self.paid(shop, ("MUG", 2))
        self.do(shop, order, "ship")
        made = self.post(shop, "/V1/returns", self.returned(shop, order, 0, 2))
        path, item = f"/V1/returns/{made['entity_id']}", made["items"][0]["entity_id"]
        for fields, status in (({"status": "authorized", "qty_authorized": 3}, None),
                               ({"status": "authorized", "qty_authorized": 2}, "authorized"),
                               ({"status": "pending"}, None), ({"status": "received", "qty_returned": 2}, "received"),
                               ({"status": "approved", "qty_approved": 1}, "approved"), ({"status": "rejected"}, None)):
            with self.subTest(fields):
                got, answer = self.call(shop, "PUT", path,
                                        {"rmaDataObject": {"items": [{"entity_id": item, **fields}]}})
                self.assertEqual((got, answer.get("status")), (200, status) if status else (400, None), answer)

    def test_rejected_on_item_is_a_status(self):
        from shop_simulator.returns import of_items
        for statuses, whole in ((["rejected", "pending"], "rejected_on_item"),
                                (["authorized", "pending"], "partial_authorized"),
                                (["received", "authorized"], "received_on_item"),
                                (["approved", "received"], "approved_on_item"),
                                (["approved", "denied"], "processed_closed"), (["denied"], "closed"),
                                (["approved"] * 2, "approved")):
            self.assertEqual(of_items(statuses), whole, statuses)

    def test_comments_tracks_and_metadata(self):
        shop = self.shop([MUG, HALF])
        order = self.paid(shop, "MUG")
        self.do(shop, order, "ship")
        path = f"/V1/returns/{self.post(shop, '/V1/returns', self.returned(shop, order, 0))['entity_id']}"
        self.post(shop, f"{path}/comments", {"data": {"comment": "thanks"}})
        self.post(shop, f"{path}/tracking-numbers",
                  {"track": {"track_number": "R1", "carrier_title": "DHL", "carrier_code": "custom"}})
        shown = self.get(shop, path)
        self.assertEqual([shown["comments"][0]["comment"], shown["tracks"][0]["track_number"]], ["thanks", "R1"])
        number = shown["tracks"][0]["entity_id"]
        self.assertEqual(self.call(shop, "DELETE", f"{path}/tracking-numbers/{number}"), (200, True))
        self.assertEqual([a["attribute_code"] for a in self.get(shop, "/V1/returnsAttributeMetadata")],
                         ["reason", "condition", "resolution"])
        self.assertEqual(self.get(shop, "/V1/returnsAttributeMetadata/reason")["options"][0]["value"], "1")
        shop.settings.rma = False
        self.assertEqual(self.call(shop, "GET", path)[0], 404)
