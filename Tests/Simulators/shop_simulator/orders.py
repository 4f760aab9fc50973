"""An order, as the REST interface shows it."""

from .applied_taxes import extension as applied_taxes
from .entities import Entity
from .outgoing import ORDER_SAVED
from .sides import ABBREVIATED
from .values import ZERO

TENDERS = {
    # amount → (invoiced, refunded): what pays for an order besides its payment method
    "gift_cards_amount": ("gift_cards_invoiced", "gift_cards_refunded"),
    "customer_balance_amount": ("customer_balance_invoiced", "customer_balance_refunded"),
    "reward_currency_amount": ("rwrd_currency_amount_invoiced", "rwrd_crrncy_amnt_refunded"),
}


class Order(Entity):
    # Of shipping and of extra charges; what the extras are is in `extension`.
    HIDDEN = frozenset(ABBREVIATED.get(f"{side}{name}", f"{side}{name}") for side in ("", "base_") for name in (
        "shipping_method", "extra_amount", "extra_tax", "extra_invoiced", "extra_tax_invoiced", "extra_refunded",
        "extra_tax_refunded",
        "shipping_discount_invoiced", "shipping_discount_refunded",
        "shipping_compensation_invoiced", "shipping_compensation_refunded", *TENDERS,
        *(name for pair in TENDERS.values() for name in pair)))

    def __init__(self, shop, data):
        super().__init__(shop, data)
        self.items = []
        self.comments = []
        self.extension = {}  # what modules have added
        self.shipping_address = None
        self.shipping_rate = ZERO  # percent
        self.tenders = []  # those of TENDERS that were used
        self.payment_info = {}
        self.asked = {}  # what was put into the cart, for an order that is edited

    def item(self, number):
        """The item with that id, or None."""
        return next((item for item in self.items if item.id == number), None)

    @property
    def payment(self):
        return self.data["payment"]

    @property
    def method(self):
        return self.shop.settings.payment_methods[self.payment["method"]]

    @property
    def website(self):
        return self.shop.stores.website_of(self.shop.stores.view(self["store_id"]))["code"]

    def touch(self):
        super().touch()
        self.shop.outgoing.tell(ORDER_SAVED, {name: self.data[name] for name in (
            "entity_id", "increment_id", "store_id", "state", "status", "updated_at")})

    def set_state(self, state, status=None):
        self["state"], self["status"] = state, status or self.shop.settings.default_status(state)

    def comment(self, text, status=None, notified=0, visible=0, entity="order"):
        self.comments.append({
            "comment": text, "created_at": self.shop.clock.text(), "entity_id": self.shop.sales.next("comment"),
            "entity_name": entity, "is_customer_notified": notified, "is_visible_on_front": visible,
            "parent_id": self["entity_id"], "status": status or self["status"]})
        return self.comments[-1]

    def as_json(self):
        extension = {**self.extension}
        if self.shop.settings.balance:
            for name in self.tenders:
                for field in (name, *TENDERS[name]):
                    base = ABBREVIATED.get(f"base_{field}", f"base_{field}")
                    extension[field], extension[base] = self.data[field], self.data[base]
        extension["shipping_assignments"] = [self._assignment()]
        extension["payment_additional_info"] = [
            {"key": "method_title", "value": self.payment["method"]},
            *({"key": key, "value": value} for key, value in self.payment_info.items())]
        extension.update(applied_taxes(self))
        return {**super().as_json(), "items": [item.as_json() for item in self.items],
                "status_histories": list(reversed(self.comments)), "extension_attributes": extension}

    def _assignment(self):
        shipping = {"total": {name: self.data[name] for name in (
            "base_shipping_amount", "base_shipping_incl_tax", "base_shipping_tax_amount", "shipping_amount",
            "shipping_incl_tax",
            "shipping_tax_amount", "shipping_discount_amount")}}
        if self.shipping_address is not None:
            shipping = {"address": self.shipping_address, "method": self.data["shipping_method"], **shipping}
        msi = self.shop.stock.msi
        stock = {"stock_id": msi.stock_of("website", self.website)["stock_id"]} if self.shop.settings.msi else {}
        return {"shipping": shipping, "items": [item.as_json() for item in self.items if not item["is_virtual"]],
                **stock}
