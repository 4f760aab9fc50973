"""What can be sold of a SKU from a stock."""

from ..errors import ShopError, not_found
from ..products import COMPOSITE
from ..routing import route

SALES = "Magento_InventorySalesApi::stock"


@route("GET", "/V1/inventory/get-product-salable-quantity/:sku/:stockId", SALES, module="msi")
def quantity(shop, call):
    return _salable(shop, call)


@route("GET", "/V1/inventory/is-product-salable/:sku/:stockId", SALES, module="msi")
def salable(shop, call):
    return not shop.stock.items.managed(call.parameters["sku"]) or _salable(shop, call) > 0


def _salable(shop, call):
    sku, number = call.parameters["sku"], call.number("stockId")
    product = shop.catalog.find(sku)
    if product is None or number not in shop.stock.msi.stocks:
        raise not_found("sku" if product is None else "stock_id", sku if product is None else number)
    if product.type in COMPOSITE:
        raise ShopError(400, "Can't check requested quantity for products without Source Items support.")
    return shop.stock.msi.salable(sku, number)
