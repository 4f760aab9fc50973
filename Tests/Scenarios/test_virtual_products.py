"""Feature 12, virtual products: nothing leaves a warehouse, so what the OMS says of logistics means an invoice."""

import unittest

from stock import Stock
from story import told
from wire import untaxed
from world import SOURCE


class VirtualProducts(Stock):
    PRODUCTS = [{"sku": "EBOOK", "type": "virtual", "price": "12", "stock": {"manage_stock": False}},
                {"sku": "SONG", "type": "downloadable", "price": "1", "stock": {"manage_stock": False}},
                {"sku": "MUG", "price": "10"}]

    @told
    def test_order_without_goods_has_neither_shipping_nor_its_address_and_is_invoiced_at_logistics(self, story):
        order = story.order({"EBOOK": 2, "SONG": 1}, payment="gateway")
        sent = order.wait_until_sent()
        billing = str(order.placed["billing_address"]["entity_id"])
        self.assertEqual([address["reference"] for address in sent["addresses"]], [billing])
        self.assertEqual([(line["line_number"], line["sku"], line["product_type"], line["shipping_address_reference"])
                          for line in sent["lines"]],
                         [(1, "EBOOK", "VIRTUAL", billing), (2, "EBOOK", "VIRTUAL", billing), (3, "SONG", "VIRTUAL", billing)])
        self.assertEqual({line.get("shipping_line_number") or 0 for line in sent["lines"]}, {0})
        order.created()
        story.then(order, exported="ACCEPTED", invoices=0)
        order.updated("LOGISTICS", "READYTOSHIP")
        story.then(order, invoices=1)
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, invoices=1, shipments=0, state="complete", total_paid=25, attention=False)

    @told
    def test_virtual_lines_of_a_mixed_order_are_invoiced_and_not_shipped(self, story):
        order = story.order({"EBOOK": 1, "MUG": 1})
        self.assertEqual([(line["sku"], line["product_type"]) for line in order.wait_until_sent()["lines"]],
                         [("EBOOK", "VIRTUAL"), ("MUG", "PHYSICAL"), ("STANDARD", "SHIPPING")])
        self.assertEqual(order.wait_until_sent()["lines"][0]["amount"]["gross_amount"], untaxed(12)["gross_amount"])
        order.created()
        order.ships({"EBOOK": 1, "MUG": 1})
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, shipments=1, state="complete", total_invoiced=27, attention=False)
        self.assertEqual([each["items"] for each in order.documents()["shipments"]], [{"MUG": "1"}])

    @told
    def test_counted_virtual_product_is_sold_once_and_leaves_the_source_with_the_invoice(self, story):
        sku = self.put(story, quantity=5, type="virtual", price="12")
        self.snapshot(story, "EU-WEB", [(sku, 5)])
        order = story.order({sku: 2}, payment="gateway")
        order.created()
        story.then(order, exported="ACCEPTED")
        self.snapshot(story, "EU-WEB", [(sku, 3)], second=2)
        # The order is reserved in the shop until it is invoiced.
        story.then((lambda: self.there(sku) == (5, 3), "the units of the open order to be added"))
        order.updated("LOGISTICS", "READYTOSHIP")
        order.ships()
        order.updated("COMPLETE", "FULLYSHIPPED")
        story.ends(order, invoices=1, shipments=0, state="complete")
        story.by_and_by(lambda: self.there(sku) == (3, 3), "the shop to have what the OMS has")
        story.keeps("stock", lambda: self.there(sku))

    def there(self, sku):
        """What the source holds, and what can be sold of it."""
        with self.world.shop.lock:
            msi = self.world.shop.stock.msi
            held = msi.quantity(SOURCE, sku), msi.salable(sku, msi.stock_of("website", "base")["stock_id"])
        return tuple(int(quantity) for quantity in held)


if __name__ == "__main__":
    unittest.main()
