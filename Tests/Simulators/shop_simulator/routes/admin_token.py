"""Tokens for administrators."""

from ..routing import route


@route("POST", "/V1/integration/admin/token", None)
def admin_token(shop, call):
    return shop.access.admin_token(call.need("username"), call.need("password"))
