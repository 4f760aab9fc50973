"""The items of an order, from what is put into the cart: one or several a product, by its type."""

from . import amounts
from .errors import ShopError
from .order_items import OrderItem
from .sides import sides
from .values import ZERO, decimal, rounded

COUNTED = ("qty_ordered", "qty_invoiced", "qty_shipped", "qty_canceled", "qty_refunded")


class Lines:
    """Puts items into an order. `asked`: the whole checkout."""

    def __init__(self, order, asked):
        self._order, self._asked = order, asked
        self._rate = decimal(order["base_to_order_rate"])
        self._sides = sides(order)

    def add(self, asked):
        """{sku, quantity, price, tax_rate, discount | discount_percent, weee, children, variant, sku_suffix, grouped,
        gift_card, decimal}: amounts in base currency."""
        product = self._order.shop.catalog.get(asked["sku"])
        if product.type == "configurable":
            self._configurable(product, asked)
        elif product.type == "bundle":
            self._bundle(product, asked)
        elif product.type == "grouped":
            for child in asked["children"]:
                self._single(child, kind="grouped")
        else:
            self._single(asked)

    def _single(self, asked, kind=None):
        product = self._order.shop.catalog.get(asked["sku"])
        option = {}
        if product.type == "giftcard":
            option = {"giftcard_item_option": {"giftcard_amount": decimal(asked.get("price", product.price)),
                                               **(asked.get("gift_card") or {})}}
        return self._item(product, asked, self._money(asked, product.price), option=option, kind=kind,
                          sku=product.sku + asked.get("sku_suffix", ""))

    def _configurable(self, product, asked):
        variant = self._order.shop.catalog.get(asked["variant"])
        if variant.sku not in product.variants:
            raise ShopError(400, "%1 is no variant of %2.", [variant.sku, product.sku])
        attributes = self._order.shop.catalog.attributes
        values = [{"option_id": str(attributes.id(code)), "option_value": variant.attribute(code)}
                  for code in product.super_attributes]
        price = variant.price or product.price
        # The item of the parent has the price, and the SKU and the weight of the variant.
        parent = self._item(product, asked, self._money(asked, price), sku=variant.sku, virtual=variant.is_virtual,
                            weight=variant.weight,
                            option={"configurable_item_options": values})
        self._item(variant, {"quantity": asked.get("quantity", 1)}, self._free(), parent=parent)

    def _bundle(self, product, asked):
        quantity = decimal(asked.get("quantity", 1))
        chosen = asked.get("children") or [{"sku": option["selections"][0]["sku"],
                                            "quantity": option["selections"][0].get("quantity", 1)}
                                           for option in product.options]
        catalog = self._order.shop.catalog
        counts = [decimal(child.get("quantity", 1)) for child in chosen]
        dynamic = product.is_dynamic
        rest = {k: v for k, v in asked.items() if k in ("tax_rate", "discount_percent")}
        entries = [{**rest, **child, "quantity": count * quantity} for child, count in zip(chosen, counts)]
        monies = [self._money(e, catalog.get(e["sku"]).price) if dynamic else self._free() for e in entries]
        own = [amounts.summed([money[i] for money in monies], quantity, side.places)
               for i, side in enumerate(self._sides)] \
            if dynamic else self._money(asked, product.price)
        sku = "-".join([product.sku, *(child["sku"] for child in chosen)]) if product.joins_skus else product.sku
        parent = self._item(
            product, asked, own, sku=sku, virtual=all(catalog.get(child["sku"]).is_virtual for child in chosen),
            children_priced=dynamic, ships_separately=product.ships_separately,
            option={"bundle_options": [{"option_id": n, "option_qty": count, "option_selections": [n]}
                                       for n, count in enumerate(counts, 1)]})
        for entry, count, money in zip(entries, counts, monies):
            self._item(catalog.get(entry["sku"]), entry, money, parent=parent, per_parent=count)

    def _money(self, asked, usual):
        """The amounts on both sides."""
        base = decimal(asked.get("price", usual), "price")
        quantity = decimal(asked.get("quantity", 1), "quantity")
        including = self._asked.get("prices_include_tax", self._order.shop.settings.prices_include_tax)
        percent = decimal(asked.get("discount_percent"))
        result = []
        for side in self._sides:
            rate = self._rate if side.prefix == "" else 1
            price = rounded(base * rate, side.places)
            discount = price * quantity * percent / 100 if percent else decimal(asked.get("discount")) * rate
            result.append(amounts.line(price, quantity, self._tax_rate(asked), including, discount,
                                       rounded(decimal(asked.get("weee")) * rate, side.places), side.places))
        return result

    def _free(self):
        return [amounts.free() for _ in self._sides]

    def _tax_rate(self, asked):
        return decimal(asked.get("tax_rate", self._asked.get("tax_rate", 0)), "tax_rate")

    def _item(self, product, asked, money, sku=None, parent=None, option=None, virtual=None, kind=None, weight=None,
              **structure):
        order = self._order
        weight = weight or product.weight or ZERO
        quantity = decimal(asked.get("quantity", 1), "quantity")
        data = {
            "item_id": order.shop.sales.next("item"), "order_id": order["entity_id"], "store_id": order["store_id"],
            "product_id": product.id, "product_type": kind or product.type, "sku": sku or product.sku,
            "name": product.name,
            "is_virtual": int(product.is_virtual if virtual is None else virtual),
            "is_qty_decimal": int(bool(asked.get("decimal"))),
            "weight": weight, "row_weight": weight * quantity,
            "free_shipping": 0, "no_discount": 0, "tax_percent": self._tax_rate(asked),
            "discount_percent": decimal(asked.get("discount_percent")), "created_at": order["created_at"],
            "updated_at": order["created_at"], **dict.fromkeys(COUNTED, ZERO), "qty_ordered": quantity}
        if parent is not None:
            data["parent_item_id"] = parent.id
        if option:
            data["product_option"] = {"extension_attributes": option}
        for side, values in zip(self._sides, money):
            data.update((side(name), value) for name, value in values.items())
        item = OrderItem(order, data, parent, **structure)
        order.items.append(item)
        return item
