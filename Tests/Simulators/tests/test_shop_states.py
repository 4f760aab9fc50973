"""Cancel, states and comments, a test for every rule of magento-rules §3 about them."""

from decimal import Decimal

from shop_case import MUG, Case
from test_shop_invoices import CATALOG


class Sales(Case):
    """Short ways to invoice, ship, cancel and refund by REST."""

    def shop(self, products=CATALOG, **settings):
        return super().shop(products, **settings)

    def do(self, shop, order, what, *items, **body):
        """what: invoice, ship or refund. The document's id."""
        return self.post(shop, f"/V1/order/{order['entity_id']}/{what}", {
            "items": [{"order_item_id": order.items[n].id, "qty": quantity} for n, quantity in items], **body})

    def cancel(self, shop, order):
        return self.post(shop, f"/V1/orders/{order['entity_id']}/cancel")

    def state(self, order):
        return order["state"], order["status"]


class Cancelling(Sales):
    def test_cancel_refuses_with_200_false(self):
        shop = self.shop()
        for state in ("complete", "closed", "canceled", "holded", "payment_review"):
            order = self.order(shop, "MUG")
            order.set_state(state)
            self.assertIs(self.cancel(shop, order), False, state)
        order = self.order(shop, "MUG")
        self.do(shop, order, "invoice")
        self.assertIs(self.cancel(shop, order), False)

    def test_cancel_voids_the_remaining_authorisation(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2), payment="gateway")
        self.do(shop, order, "invoice", (0, 1), capture=True)
        self.assertIs(self.cancel(shop, order), True)
        self.assertEqual([e["operation"] for e in shop.gateway.ledger], ["authorize", "capture", "void"])
        self.assertTrue(all(t["is_closed"] for t in shop.sales.transactions.values()))

    def test_cancel_cancels_the_minimum_of_to_invoice_and_to_ship_of_every_item(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 5), ("CUP", 2), {"sku": "SHIRT", "variant": "SHIRT-S", "quantity": 2})
        self.do(shop, order, "invoice", (0, 1), (2, 2))
        self.do(shop, order, "ship", (0, 3))
        self.assertIs(self.cancel(shop, order), True)
        self.assertEqual([item["qty_canceled"] for item in order.items], [2, 2, 0, 0])

    def test_shipped_but_never_invoiced_ends_canceled_and_cannot_be_invoiced_again(self):
        shop = self.shop()
        order = self.order(shop, "MUG")
        self.do(shop, order, "ship")
        self.assertIs(self.cancel(shop, order), True)
        self.assertEqual(self.state(order), ("canceled", "canceled"))
        self.refused(shop, "POST", f"/V1/order/{order['entity_id']}/invoice", {"items": []}, 400,
                     "has a status of canceled")

    def test_after_cancel_canceled_or_processing_or_complete_when_something_is_refundable(self):
        shop = self.shop()
        for invoiced, shipped, expected in ((0, 0, "canceled"), (1, 1, "complete"), (2, 0, "processing"),
                                            (3, 3, "complete")):
            with self.subTest(invoiced=invoiced, shipped=shipped):
                order = self.order(shop, ("MUG", 5))
                if invoiced:
                    self.do(shop, order, "invoice", (0, invoiced))
                if shipped:
                    self.do(shop, order, "ship", (0, shipped))
                self.assertIs(self.cancel(shop, order), True)
                self.assertEqual(self.state(order)[0], expected)

    def test_cancel_gives_stock_back(self):
        for msi in (True, False):
            with self.subTest(msi=msi):
                shop = self.shop(msi=msi)
                order = self.order(shop, ("MUG", 5), "DYNAMIC", "FIXED", {"sku": "SHIRT", "variant": "SHIRT-S"})
                self.do(shop, order, "invoice", (0, 2))
                self.do(shop, order, "ship", (0, 2))
                self.cancel(shop, order)
                left = [shop.stock.msi.salable(sku, 1) if msi else shop.stock.items.get(sku)["qty"]
                        for sku in ("MUG", "CUP", "POT", "SHIRT-S")]
                self.assertEqual(left, [98, 100, 100, 100])

    def test_hold_blocks_until_unhold(self):
        shop = self.shop()
        order = self.order(shop, "MUG")
        self.post(shop, f"/V1/orders/{order['entity_id']}/hold")
        self.refused(shop, "POST", f"/V1/order/{order['entity_id']}/invoice", {"items": []}, 400, "holded")
        self.post(shop, f"/V1/orders/{order['entity_id']}/unhold")
        self.assertEqual(self.state(order), ("new", "pending"))


class AfterEachSave(Sales):
    def test_complete_once_nothing_can_be_invoiced_or_shipped(self):
        for version in ("2.2", "2.4"):
            for first, then in (("invoice", "ship"), ("ship", "invoice")):
                with self.subTest(version=version, first=first):
                    shop = self.shop(version=version)
                    order = self.order(shop, "MUG")
                    self.do(shop, order, first)
                    self.assertEqual(self.state(order), ("processing", "processing"))
                    self.do(shop, order, then)
                    self.assertEqual(self.state(order), ("complete", "complete"))

    def test_virtual_order_is_complete_once_invoiced(self):
        for version in ("2.2", "2.4"):
            order = self.order(shop := self.shop(version=version), "EBOOK")
            self.do(shop, order, "invoice")
            self.assertEqual(self.state(order)[0], "complete")

    def test_not_refundable_shippable_or_virtual_is_closed(self):
        for lines, shipped in ((["MUG"], True), (["MUG"], False), (["EBOOK"], False)):
            for version in ("2.2", "2.4"):
                with self.subTest(lines=lines, shipped=shipped, version=version):
                    order = self.order(shop := self.shop(version=version), *lines)
                    self.do(shop, order, "invoice")
                    if shipped:
                        self.do(shop, order, "ship")
                    self.do(shop, order, "refund")
                    self.assertEqual(self.state(order), ("closed", "closed"))

    def test_shipped_and_refunded_units_together_make_an_order_complete(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 3))
        self.do(shop, order, "invoice")
        self.do(shop, order, "refund", (0, 1))
        self.assertEqual(self.state(order)[0], "processing")
        self.do(shop, order, "ship", (0, 2))
        self.assertEqual(self.state(order)[0], "complete")

    def test_order_paid_by_gift_card_alone(self):
        shop = self.shop()
        order = self.order(shop, "MUG", payment="free", gift_cards=[{"code": "G", "amount": 50}])
        self.assertEqual(order["grand_total"], 0)
        self.do(shop, order, "invoice")
        self.do(shop, order, "ship")
        self.assertEqual(self.state(order)[0], "complete")


class SavingAnOrder(Sales):
    def test_save_without_increment_id_renumbers(self):
        shop = self.shop()
        order = self.order(shop, "MUG")
        self.post(shop, "/V1/orders", {"entity": {"entity_id": order["entity_id"], "status": "odd"}})
        self.assertEqual((order["increment_id"], order["status"]), ("000000002", "odd"))

    def test_state_canceled_cancels_nothing(self):
        shop = self.shop()
        order = self.order(shop, ("MUG", 2))
        self.post(shop, "/V1/orders", {"entity": {
            "entity_id": order["entity_id"], "increment_id": order["increment_id"], "state": "canceled",
            "status": "canceled"}})
        self.assertEqual((order["state"], order.items[0]["qty_canceled"], len(shop.stock.msi.reservations)),
                         ("canceled", 0, 1))

    def test_address_can_be_changed(self):
        shop = self.shop()
        order = self.order(shop, "MUG")
        status, _ = self.call(shop, "PUT", f"/V1/orders/{order['entity_id']}", {
            "entity": {"parent_id": order["entity_id"], "address_type": "shipping", "city": "Oslo"}})
        self.assertEqual(status, 200)
        shipping = self.shown(shop, order)["extension_attributes"]["shipping_assignments"][0]["shipping"]
        self.assertEqual((shipping["address"]["city"], order["billing_address"]["city"]), ("Oslo", "Springfield"))


class Comments(Sales):
    def comment(self, shop, order, **history):
        return self.call(shop, "POST", f"/V1/orders/{order['entity_id']}/comments",
                         {"statusHistory": {"comment": "x", **history}})

    def test_status_not_assigned_to_the_state_is_400_in_newer_versions(self):
        for version, expected in (("2.2", 200), ("2.4", 400)):
            with self.subTest(version):
                shop = self.shop(version=version)
                order = self.order(shop, "MUG")
                status, answer = self.comment(shop, order, status="processing")
                self.assertEqual(status, expected, answer)
                self.assertEqual(order["status"], "processing" if expected == 200 else "pending")
                self.assertEqual(self.comment(shop, order)[0], 200)

    def test_custom_statuses_are_taken_in_their_states(self):
        shop = self.shop()
        shop.settings.statuses["oms_received"] = ["new", "processing"]
        order = self.order(shop, "MUG")
        self.assertEqual(self.comment(shop, order, status="oms_received", is_customer_notified=1), (200, True))
        self.assertEqual(self.get(shop, f"/V1/orders/{order['entity_id']}/statuses"), "oms_received")
        self.assertEqual([c["comment"] for c in self.get(shop, f"/V1/orders/{order['entity_id']}/comments")["items"]],
                         ["x", ""])
        self.assertEqual([mail["kind"] for mail in shop.mails.all()], ["order", "comment"])
        self.assertEqual(self.shown(shop, order)["state"], "new")


class AdminEdits(Sales):
    def test_edited_order_is_a_new_one_and_the_old_is_canceled(self):
        from shop_simulator.editing import edit
        shop = self.shop()
        order = self.order(shop, "MUG")
        new = edit(order, {"lines": [{"sku": "CUP"}]})
        again = edit(new, {})
        self.assertEqual((new["increment_id"], again["increment_id"], order["state"]),
                         ("000000001-1", "000000001-2", "canceled"))
        shown = self.shown(shop, new)
        self.assertEqual((shown["relation_parent_real_id"], shown["original_increment_id"]), ("000000001", "000000001"))
        self.assertEqual(self.shown(shop, order)["relation_child_real_id"], "000000001-1")
        self.assertEqual(shop.stock.msi.salable("MUG", 1), Decimal(MUG["stock"]["qty"]))
