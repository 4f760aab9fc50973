"""Orders and their documents, and the numbers that they get."""

from .errors import missing


class Table(dict):
    """Entities by id, and those of an order in the order in which they were made."""

    def __init__(self):
        super().__init__()
        self._by_order = {}

    def add(self, entity, number):
        self[number] = entity
        self._by_order.setdefault(entity["order_id"], []).append(entity)

    def remove(self, number):
        entity = self.pop(number)
        self._by_order[entity["order_id"]].remove(entity)

    def of(self, order):
        return self._by_order.get(order["entity_id"], [])


class Sales:
    def __init__(self, shop):
        self._shop = shop
        self._numbers = {}
        self.orders = {}
        self.invoices = Table()
        self.shipments = Table()
        self.creditmemos = Table()
        self.transactions = Table()
        self.returns = Table()
        self.tracks = {}

    def next(self, kind):
        """The next id of a table. Ids are drawn at the statement, whether it is committed or not."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return self._numbers[kind]

    def increment(self, kind, store_id):
        """The next number that people see, of a store: other stores than the first have theirs in front."""
        number = self.next((kind, store_id))
        return f"{'' if store_id <= 1 else store_id}{number:09d}"

    def order(self, number):
        return _get(self.orders, number)

    def by_increment(self, increment):
        for order in self.orders.values():
            if order["increment_id"] == increment:
                return order
        raise missing()

    def invoice(self, number):
        return _get(self.invoices, number)

    def shipment(self, number):
        return _get(self.shipments, number)

    def creditmemo(self, number):
        return _get(self.creditmemos, number)


def _get(table, number):
    if number not in table:
        raise missing()
    return table[number]
