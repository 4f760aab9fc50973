"""A stack between a simulated shop and a simulated OMS."""

import contextlib
import json
import os
import tempfile

from bus import registered_stack
from shop_simulator import Shop

TOKEN = "shop-token"


@contextlib.contextmanager
def shop_stack(shop=None, mapping=None, oms_options=None, **options):
    """(shop, oms, stack), as soon as the gateway has registered. The shop is asked for what is new ten times a second.

    `shop`: the settings of a shop of its own, or a Shop that listens already. `mapping`: the text of the mapping file.
    `options`: those of `registered_stack`, settings among them.
    """
    with contextlib.ExitStack() as opened:
        if not isinstance(shop, Shop):
            shop = opened.enter_context(Shop(**(shop or {})))
        settings = {"commerce_url": shop.url, "commerce_token": TOKEN, "commerce_poll_interval": "100ms", **options}
        if mapping is not None:
            folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="oms-mapping-"))
            settings["commerce_mapping_file"] = os.path.join(folder, "mapping")
            with open(settings["commerce_mapping_file"], "w", encoding="utf-8") as file:
                file.write(mapping)
        oms, stack = opened.enter_context(registered_stack(oms_options, **settings))
        yield shop, oms, stack



def events(oms, method):
    """The params of each event of this method that came to the OMS, each delivery once, in their order."""
    return _messages(oms, "/events", method)


def commands(oms, method):
    """The same of what was sent to the OMS alone."""
    return _messages(oms, "/delegate/oms", method)


def _messages(oms, path, method):
    found = {}
    for request in oms.requests.all():
        if request.path == path:
            message = json.loads(request.body)
            if message["method"] == method:
                found.setdefault(message["id"], message["params"])
    return list(found.values())
