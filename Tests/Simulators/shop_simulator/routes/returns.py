"""/V1/returns."""

from .. import returns
from ..errors import missing, not_found
from ..routing import route
from .listing import one, page

RMA = "Magento_Rma::magento_rma"


@route("GET", "/V1/returns", RMA, module="rma")
def every(shop, call):
    return page(shop, call, shop.sales.returns)


@route("POST", "/V1/returns", RMA, module="rma")
def create(shop, call):
    return returns.create(shop, call.need("rmaDataObject")).as_json()


@route("GET", "/V1/returns/:id", RMA, module="rma")
def single(shop, call):
    return one(_found(shop, call), call)


@route("PUT", "/V1/returns/:id", RMA, module="rma")
def change(shop, call):
    return returns.change(_found(shop, call), call.need("rmaDataObject")).as_json()


@route("DELETE", "/V1/returns/:id", RMA, module="rma")
def delete(shop, call):
    shop.sales.returns.remove(_found(shop, call)["entity_id"])
    return True


@route("GET", "/V1/returns/:id/comments", RMA, module="rma")
def comments(shop, call):
    found = _found(shop, call).comments
    return {"items": found, "total_count": len(found)}


@route("POST", "/V1/returns/:id/comments", RMA, module="rma")
def comment(shop, call):
    returns.add_comment(_found(shop, call), call.need("data"))
    return True


@route("GET", "/V1/returns/:id/tracking-numbers", RMA, module="rma")
def tracks(shop, call):
    found = _found(shop, call).tracks
    return {"items": found, "total_count": len(found)}


@route("POST", "/V1/returns/:id/tracking-numbers", RMA, module="rma")
def track(shop, call):
    returns.add_track(_found(shop, call), call.need("track"))
    return True


@route("DELETE", "/V1/returns/:id/tracking-numbers/:trackId", RMA, module="rma")
def delete_track(shop, call):
    found, number = _found(shop, call), call.number("trackId")
    if all(entry["entity_id"] != number for entry in found.tracks):
        raise not_found("entity_id", number)
    found.tracks = [entry for entry in found.tracks if entry["entity_id"] != number]
    found.touch()
    return True


@route("GET", "/V1/returns/:id/labels", RMA, module="rma")
def labels(shop, call):
    _found(shop, call)
    return ""


@route("GET", "/V1/returnsAttributeMetadata", RMA, module="rma")
def metadata(*_):
    return [_attribute(code) for code in returns.METADATA]


@route("GET", "/V1/returnsAttributeMetadata/custom", RMA, module="rma")
def custom(*_):
    return []


@route("GET", "/V1/returnsAttributeMetadata/form/:formCode", RMA, module="rma")
def form(*_):
    return [_attribute(code) for code in returns.METADATA]


@route("GET", "/V1/returnsAttributeMetadata/:attributeCode", RMA, module="rma")
def attribute(_, call):
    code = call.parameters["attributeCode"]
    if code not in returns.METADATA:
        raise not_found("attributeCode", code)
    return _attribute(code)


def _attribute(code):
    return {"attribute_code": code, "frontend_input": "select", "frontend_label": code.title(), "required": True,
            "options": [{"label": label, "value": value} for value, label in returns.METADATA[code].items()]}


def _found(shop, call):
    found = shop.sales.returns.get(call.number("id"))
    if found is None:
        raise missing()
    return found
