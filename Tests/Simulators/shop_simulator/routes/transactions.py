"""/V1/transactions."""

from ..errors import missing
from ..routing import route
from .listing import one, page

FETCH = "Magento_Sales::transactions_fetch"


@route("GET", "/V1/transactions", FETCH)
def transactions(shop, call):
    return page(shop, call, shop.sales.transactions)


@route("GET", "/V1/transactions/:id", FETCH)
def transaction(shop, call):
    found = shop.sales.transactions.get(call.number("id"))
    if found is None:
        raise missing()
    return one(found, call)
