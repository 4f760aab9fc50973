"""Stock without MSI: /V1/stockItems and the stock item of a product."""

from ..errors import required
from ..routing import route
from ..values import decimal

INVENTORY = "Magento_CatalogInventory::cataloginventory"


@route("GET", "/V1/stockItems/lowStock", INVENTORY)
def low_stock(shop, call):
    found = shop.stock.items.low(decimal(call.query.get("qty", 0), "qty"))
    size = int(call.query.get("pageSize") or len(found) or 1)
    start = (int(call.query.get("currentPage") or 1) - 1) * size
    return {"items": found[start:start + size], "total_count": len(found)}


@route("GET", "/V1/stockItems/:productSku", INVENTORY)
def stock_item(shop, call):
    return shop.stock.items.as_json(call.parameters["productSku"])


@route("GET", "/V1/stockStatuses/:productSku", INVENTORY)
def stock_status(shop, call):
    item = shop.stock.items.as_json(call.parameters["productSku"])
    return {"product_id": item["product_id"], "stock_id": 1, "qty": item["qty"],
            "stock_status": int(item["is_in_stock"]),
            "stock_item": item}


@route("PUT", "/V1/products/:productSku/stockItems/:itemId", "Magento_Catalog::products")
def change(shop, call):
    asked = call.need("stockItem")
    if not isinstance(asked, dict):
        raise required("stockItem")
    item = shop.stock.items.change(call.parameters["productSku"], asked)
    shop.catalog.get(call.parameters["productSku"]).touch()
    shop.catalog.touched()
    return item["item_id"]
