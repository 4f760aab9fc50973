"""From a request to its answer: credentials, limits, route, bulk or not."""

import sys
import traceback
from urllib.parse import unquote, urlsplit

from . import limits
from .errors import ShopError
from .outgoing import ROUTES
from .query import nested, parse_fields, trimmed
from .routing import Call, Route, find, routes
from .values import dump, parse

INTERNAL = "Internal Error. Details are available in Magento log file. Report ID: webapi-%s"


class Text(str):
    """An answer that is JSON already."""


class Dispatch:
    def __init__(self, shop):
        self._shop = shop
        self._routes = routes()

    def handle(self, verb, target, headers, body):
        """(status, body, fault or None) of one request. What is answered in place of a handled one is up to the
        fault."""
        kind, store, path = _address(target)
        prefix = {"": "", "async": "/async", "bulk": "/async/bulk"}[kind]
        fault = self._shop.faults.take(verb, prefix + (path or ""))
        if fault is not None and not fault.handled:
            return fault.status or 0, b"", fault
        try:
            status, answer = self._answer(verb, target, headers, body, kind, store, path)
        except ShopError as error:
            status, answer = error.status, error.body()
        except Exception:  # as Magento does: what nobody foresaw is a report, and the shop goes on
            traceback.print_exc(file=sys.stderr)
            status, answer = 500, {"message": INTERNAL % "bug"}
        return status, (answer if isinstance(answer, Text) else dump(answer)).encode(), fault

    def carry_out(self, route, call):
        """The answer of one call, under the shop's lock. For bulks too."""
        self._shop.outgoing.ask(ROUTES.get((route.verb, route.pattern)), {"path": call.path, "data": call.body})
        with self._shop.lock:
            try:
                return route.answer(self._shop, call)
            except ValueError as error:  # a number that is none, and the like
                raise ShopError(400, "Error occurred during \"%1\" processing. %2", [call.path, str(error)]) from error

    def _answer(self, verb, target, headers, body, kind, store, path):
        shop = self._shop
        if path is None or not shop.stores.knows(store):
            raise ShopError(404, "Request does not match any route.")
        if kind and verb == "GET":
            raise ShopError(404, "Request does not match any route.")
        route, parameters = find(self._routes, verb, path, shop.settings, bulk=kind == "bulk")
        if route is None and f"{verb} {path}" in shop.settings.companion_routes:
            route = Route(verb, path, "Magento_Backend::all",
                          lambda *_: shop.settings.companion_routes[f"{verb} {path}"], None)
            parameters = {}
        if route is None:
            raise ShopError(404, "Request does not match any route.")
        url = f"http://{headers.get('host', '')}{target}"
        with shop.lock:
            shop.access.check(route, verb, url, headers)
        value = self._parsed(body, headers) if verb in ("POST", "PUT", "PATCH") else None
        query = nested(urlsplit(target).query)
        call = Call(verb, path, {name: unquote(text) for name, text in parameters.items()}, query, value, store)
        if kind:
            return 202, shop.bulks.accept(route, call, kind == "bulk")
        limits.check(value, shop.settings, asynchronous=False)
        answer = self.carry_out(route, call)
        if "fields" in query and not isinstance(answer, Text):
            answer = trimmed(answer, parse_fields(str(query["fields"])))
        return 200, answer

    @staticmethod
    def _parsed(body, headers):
        if headers.get("content-type", "").partition(";")[0].strip().lower() not in ("application/json", ""):
            raise ShopError(400, "Server cannot understand Content-Type HTTP header media type %1",
                            [headers.get("content-type", "")])
        if not body:
            return {}
        try:
            return parse(body)
        except ValueError:
            raise ShopError(400, "Decoding error: %1", ["Syntax error"]) from None


def _address(target):
    """("", "async" or "bulk"; store code; path from /V1 on, None for an address that is none)"""
    pieces = urlsplit(target).path.split("/")
    if len(pieces) < 3 or pieces[1] != "rest":
        return "", "", None
    pieces = pieces[2:]
    store = "default" if pieces[0] in ("V1", "async") else pieces.pop(0)
    kind = ""
    if pieces and pieces[0] == "async":
        kind = pieces.pop(0)
        if pieces and pieces[0] == "bulk":
            kind = pieces.pop(0)
    if not pieces or pieces[0] != "V1":
        return kind, store, None
    return kind, store, "/" + "/".join(pieces)

