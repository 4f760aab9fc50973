"""The whole of something, for tests to compare with."""


def order(shop, found):
    sales = shop.sales

    def documents(table):
        return [document.as_json() for document in table.of(found)]

    return {
        "order": found.as_json(), "invoices": documents(sales.invoices), "shipments": documents(sales.shipments),
        "creditmemos": documents(sales.creditmemos), "transactions": documents(sales.transactions),
        "returns": documents(sales.returns),
        "mails": [mail for mail in shop.mails.all() if mail["order"] == found["increment_id"]],
        "gateway": [entry for entry in shop.gateway.ledger if entry["order"] == found["increment_id"]],
        "quantities": {str(item.id): {
            "to_invoice": item.to_invoice, "to_ship": item.to_ship, "to_refund": item.to_refund}
            for item in found.items}}


def stock(shop):
    """Everything that is on a shelf, and what is promised."""
    msi = shop.stock.msi
    answer = {"items": {product.sku: shop.stock.items.as_json(product.sku) for product in shop.catalog.all()}}
    if shop.settings.msi:
        answer.update(source_items=msi.rows(), reservations=msi.reservations, salable=[
            {"stock_id": number, "sku": product.sku, "quantity": msi.salable(product.sku, number)}
            for number in msi.stocks for product in shop.catalog.all()])
    return answer
