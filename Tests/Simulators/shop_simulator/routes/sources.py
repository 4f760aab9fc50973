"""/V1/inventory/sources."""

from ..errors import ShopError, not_found
from ..routing import route
from ..search import Criteria


@route("GET", "/V1/inventory/sources", "Magento_InventoryApi::source", module="msi")
def sources(shop, call):
    criteria = Criteria(call.query, shop.settings)
    found = criteria.select(shop.stock.msi.sources.values(), lambda source, field: source.get(field))
    return {"items": criteria.cut(found), "search_criteria": criteria.as_json(), "total_count": len(found)}


@route("GET", "/V1/inventory/sources/:sourceCode", "Magento_InventoryApi::source", module="msi")
def source(shop, call):
    code = call.parameters["sourceCode"]
    if code not in shop.stock.msi.sources:
        raise ShopError(404, 'Source with code "%value" does not exist.', {"value": code})
    return shop.stock.msi.sources[code]


@route("POST", "/V1/inventory/sources", "Magento_InventoryApi::source_edit", module="msi")
def create(shop, call):
    _save(shop, call.need("source"))


@route("PUT", "/V1/inventory/sources/:sourceCode", "Magento_InventoryApi::source_edit", module="msi")
def change(shop, call):
    _save(shop, {**call.need("source"), "source_code": call.parameters["sourceCode"]})


def _save(shop, asked):
    known = shop.stock.msi.sources.get(asked.get("source_code"), {})
    for name in ("source_code", "name", "country_id", "postcode"):
        if not asked.get(name, known.get(name)):
            raise ShopError(400, "Validation Failed",
                            errors=[ShopError(400, '"%field" can not be empty.', {"field": name})])
    shop.stock.msi.save_source(asked)


@route("GET", "/V1/inventory/get-sources-assigned-to-stock-ordered-by-priority/:stockId",
       "Magento_InventoryApi::source",
       module="msi")
def by_priority(shop, call):
    number = call.number("stockId")
    if number not in shop.stock.msi.stocks:
        raise not_found("stock_id", number)
    return [shop.stock.msi.sources[code] for code in shop.stock.msi.sources_of(number)]
