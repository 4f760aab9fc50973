"""/V1/inventory/stocks, their links to sources, and which stock a website sells from."""

from ..errors import ShopError, not_found
from ..routing import route
from ..search import Criteria

LINKS = "Magento_InventoryApi::stock_source_link"


@route("GET", "/V1/inventory/stocks", "Magento_InventoryApi::stock", module="msi")
def stocks(shop, call):
    return _page(shop, call, shop.stock.msi.stocks.values())


@route("GET", "/V1/inventory/stocks/:stockId", "Magento_InventoryApi::stock", module="msi")
def stock(shop, call):
    number = call.number("stockId")
    if number not in shop.stock.msi.stocks:
        raise ShopError(404, 'Stock with id "%value" does not exist.', {"value": number})
    return shop.stock.msi.stocks[number]


@route("POST", "/V1/inventory/stocks", "Magento_InventoryApi::stock_edit", module="msi")
def create(shop, call):
    return _save(shop, call.need("stock"))


@route("PUT", "/V1/inventory/stocks/:stockId", "Magento_InventoryApi::stock_edit", module="msi")
def change(shop, call):
    return _save(shop, {**call.need("stock"), "stock_id": call.number("stockId")})


@route("DELETE", "/V1/inventory/stocks/:stockId", "Magento_InventoryApi::stock_delete", module="msi")
def delete(shop, call):
    shop.stock.msi.delete_stock(call.number("stockId"))


@route("GET", "/V1/inventory/stock-source-links", LINKS, module="msi")
def links(shop, call):
    return _page(shop, call, shop.stock.msi.links)


@route("POST", "/V1/inventory/stock-source-links", LINKS, module="msi")
def link(shop, call):
    asked = call.need("links")
    for entry in asked:
        if entry.get("source_code") not in shop.stock.msi.sources:
            raise ShopError(400, "Validation Failed", errors=[
                ShopError(400, 'Source with code "%value" does not exist.', {"value": entry.get("source_code")})])
        if entry.get("stock_id") not in shop.stock.msi.stocks:
            raise not_found("stock_id", entry.get("stock_id"))
    for entry in asked:
        shop.stock.msi.link(entry)


@route("POST", "/V1/inventory/stock-source-links-delete", LINKS, module="msi")
def unlink(shop, call):
    for entry in call.need("links"):
        shop.stock.msi.unlink(entry)


@route("GET", "/V1/inventory/stock-resolver/:type/:code", "Magento_InventoryApi::stock", module="msi")
def resolve(shop, call):
    channel = {"type": call.parameters["type"], "code": call.parameters["code"]}
    stock = shop.stock.msi.stock_of(**channel)
    if channel not in stock["extension_attributes"]["sales_channels"]:
        raise ShopError(404, "No linked stock found")
    return stock


def _save(shop, asked):
    if not asked.get("name") and not asked.get("stock_id"):
        raise ShopError(400, "Validation Failed",
                        errors=[ShopError(400, '"%field" can not be empty.', {"field": "name"})])
    return shop.stock.msi.save_stock(asked)


def _page(shop, call, rows):
    criteria = Criteria(call.query, shop.settings)
    found = criteria.select(rows, lambda row, field: row.get(field))
    return {"items": criteria.cut(found), "search_criteria": criteria.as_json(), "total_count": len(found)}
