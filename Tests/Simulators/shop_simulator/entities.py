"""What orders, invoices, shipments … have in common: fields by name, a time of change, JSON kept until then."""

from .values import dump


class Entity:
    HIDDEN = frozenset()  # fields that the REST interface doesn't show

    def __init__(self, shop, data):
        self.shop = shop
        now = shop.clock.text()
        self.data = {"created_at": now, "updated_at": now, **data}
        self._text = None

    def __getitem__(self, name):
        return self.data[name]

    def __setitem__(self, name, value):
        self.data[name] = value

    def get(self, name, otherwise=None):
        return self.data.get(name, otherwise)

    def add(self, name, amount):
        """Adds to a sum that may not have begun."""
        self.data[name] = (self.data.get(name) or 0) + amount

    def touch(self):
        """Every change ends with it."""
        self.data["updated_at"] = self.shop.clock.text()
        self._text = None

    def as_json(self):
        return {name: value for name, value in self.data.items() if name not in self.HIDDEN}

    def text(self):
        if self._text is None:
            self._text = dump(self.as_json())
        return self._text


class Remarked(Entity):
    """An entity with comments."""

    def __init__(self, shop, data):
        super().__init__(shop, data)
        self.comments = []

    def comment(self, text, notified=0, visible=0):
        self.comments.append({
            "comment": text, "created_at": self.shop.clock.text(), "entity_id": self.shop.sales.next("comment"),
            "is_customer_notified": notified, "is_visible_on_front": visible, "parent_id": self["entity_id"]})
        return self.comments[-1]
