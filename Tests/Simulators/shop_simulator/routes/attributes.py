"""/V1/products/attributes."""

from ..routing import route
from ..search import Criteria

ATTRIBUTES = "Magento_Catalog::attributes_attributes"


@route("GET", "/V1/products/attributes", ATTRIBUTES)
def attributes(shop, call):
    criteria = Criteria(call.query, shop.settings)
    found = criteria.select(shop.catalog.attributes.all(), lambda attribute, field: attribute.get(field))
    return {"items": criteria.cut(found), "search_criteria": criteria.as_json(), "total_count": len(found)}


@route("GET", "/V1/products/attributes/:code", ATTRIBUTES)
def attribute(shop, call):
    return shop.catalog.attributes.get(call.parameters["code"])


@route("GET", "/V1/products/attributes/:code/options", ATTRIBUTES)
def options(shop, call):
    return [{"label": " ", "value": ""}, *shop.catalog.attributes.get(call.parameters["code"])["options"]]
