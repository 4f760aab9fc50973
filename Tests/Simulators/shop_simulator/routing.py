"""Which function answers which route, and whom it takes to ask."""

import importlib
from dataclasses import dataclass, field

from .errors import required, wrong_type

# The modules that have routes; each declares its own with `route`.
MODULES = ("orders", "order_comments", "cancelling", "invoices", "shipments", "creditmemos", "returns", "transactions",
           "products",
           "product_structure", "attributes", "stores", "modules", "stock_items", "sources", "stocks", "source_items",
           "salable",
           "bulk", "admin_token")
_routes = []


@dataclass
class Call:
    """One call of a route."""

    verb: str
    path: str  # from /V1 on
    parameters: dict = field(default_factory=dict)  # of the path
    query: dict = field(default_factory=dict)
    body: object = None
    store: str = "default"  # store code of the path, or "all"

    def number(self, name):
        """A path parameter that has to be a number."""
        text = self.parameters[name]
        if not text.isdigit():
            raise wrong_type(text, "int")
        return int(text)

    def need(self, name):
        """A field of the body that the service demands."""
        if not isinstance(self.body, dict) or self.body.get(name) is None:
            raise required(name)
        return self.body[name]


@dataclass(frozen=True)
class Route:
    verb: str
    pattern: str
    resource: str | None  # None: for everybody
    answer: object
    module: str | None  # setting that has to be on: "msi", "rma"

    @property
    def pieces(self):
        return self.pattern.strip("/").split("/")

    def match(self, pieces):
        own = self.pieces
        if len(own) != len(pieces):
            return None
        found = {}
        for mine, theirs in zip(own, pieces):
            if mine.startswith(":"):
                found[mine[1:]] = theirs
            elif mine != theirs:
                return None
        return found

    def match_bulk(self, pieces):
        """A bulk's path has `byParam` where a single call has the parameter; a :productSku may be called `bySku`
        (magento-rest §8)."""
        own = self.pieces
        same = len(own) == len(pieces) and all(theirs in _bulk_names(mine) for mine, theirs in zip(own, pieces))
        return {} if same else None


def _bulk_names(piece):
    if not piece.startswith(":"):
        return (piece,)
    return f"by{piece[1].upper()}{piece[2:]}", *(("bySku",) if piece == ":productSku" else ())


def route(verb, pattern, resource, module=None):
    """Declares the decorated function(shop, call) as the answer to a route."""

    def declare(answer):
        _routes.append(Route(verb, pattern, resource, answer, module))
        return answer

    return declare


def routes():
    """All of them; literal pieces before parameters, so that /orders/items is no order."""
    for name in MODULES:
        importlib.import_module(f".routes.{name}", __package__)
    return sorted(_routes, key=lambda r: [piece.startswith(":") for piece in r.pieces])


def find(table, verb, path, settings, bulk=False):
    """(route, path parameters), or (None, None)."""
    pieces = path.strip("/").split("/")
    for candidate in table:
        if candidate.verb != verb or (candidate.module and not getattr(settings, candidate.module)):
            continue
        found = candidate.match_bulk(pieces) if bulk else candidate.match(pieces)
        if found is not None:
            return candidate, found
    return None, None
