"""How another process drives the shop: JSON over HTTP on a Unix socket (a path) or on HOST:PORT. The package's
docstring lists what can be asked. Decimals may be numbers or texts."""

import json

from oms_simulator.control import Control as Base

from . import actions, admin_actions  # noqa: F401 – the latter declares more of them
from .errors import ShopError
from .outgoing import ACTIONS
from .values import plain


class Control(Base):
    """Serves the control interface of a `Shop`."""

    def __init__(self, shop, address):
        self._shop = shop
        super().__init__(shop, address)

    def get(self, path):
        path, _, query = path.partition("?")
        return self._carry_out("GET", path, query)

    def post(self, path, asked):
        return self._carry_out("POST", path, asked)

    def _carry_out(self, verb, path, asked):
        name, _, rest = path.strip("/").partition("/")
        action = actions.find(verb, name)
        if action is None:
            known = ", ".join(f"{v} /{n}" for v, n in sorted(actions.ACTIONS))
            raise ValueError(f"{verb} {path} is not one of {known}")
        try:
            if action.waits:  # lets others go on meanwhile
                return plain(action.carry_out(self._shop, rest, asked))
            self._shop.outgoing.ask(ACTIONS.get(name) if verb == "POST" else None, {"path": path, "data": asked})
            with self._shop.lock:
                return plain(action.carry_out(self._shop, rest, asked))
        except TimeoutError:
            raise
        except OSError as error:
            raise ValueError(str(error)) from error
        except ShopError as error:
            raise ValueError(json.dumps({"status": error.status, **error.body()}, default=str)) from error
