"""Orders and their documents, and the numbers that they get."""

from .errors import missing


class Sales:
    def __init__(self, shop):
        self._shop = shop
        self._numbers = {}
        self.orders = {}
        self.invoices = {}
        self.shipments = {}
        self.creditmemos = {}
        self.transactions = {}
        self.returns = {}
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

    def of(self, documents, order):
        """The invoices, shipments … of an order, in the order in which they were made."""
        return [document for document in documents.values() if document["order_id"] == order["entity_id"]]


def _get(table, number):
    if number not in table:
        raise missing()
    return table[number]
