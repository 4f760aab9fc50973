"""The simulator as a whole."""

import threading

from oms_simulator.recording import Recording

from .access import Access
from .bulks import Bulks
from .catalog import Catalog
from .clock import Clock
from .dispatch import Dispatch
from .faults import Faults
from .gateway import Gateway
from .http import Listener
from .mail import Mails
from .outgoing import Outgoing
from .sales import Sales
from .settings import Settings
from .stock import Stock
from .stores import Stores
from .uncommitted import Uncommitted


class Shop:
    """A shop on one TCP address.

        with Shop(msi=False, version="2.2") as shop:
            shop.catalog.put({"sku": "MUG", "price": "12.50"})
            order = place(shop, {"lines": [{"sku": "MUG", "quantity": 2}]})
    """

    def __init__(self, listen="127.0.0.1:0", history=None, **settings):
        """`history`: an `oms_simulator.History` that gets every call that writes. `settings`: those of `Settings`."""
        self.history = history
        self.settings = Settings()
        self.settings.change(**settings)
        # Held for every call and every change: a test that looks at several things at once takes it too.
        self.lock = threading.RLock()
        self.clock = Clock()
        self.access = Access(self.settings, self.clock)
        self.stores = Stores()
        self.outgoing = Outgoing(self)
        self.catalog = Catalog(self)
        self.stock = Stock(self)
        self.sales = Sales(self)
        self.gateway = Gateway(self)
        self.mails = Mails(self)
        self.uncommitted = Uncommitted(self)
        self.faults = Faults()
        self.requests = Recording()
        self.dispatch = Dispatch(self)
        self.bulks = Bulks(self)
        self._listener = Listener(self, listen)

    @property
    def url(self):
        """Without /rest."""
        return self._listener.url

    def __enter__(self):
        self.up()
        return self

    def __exit__(self, *_):
        self.close()

    def up(self):
        """Starts to listen; harmless when it does already. The port stays the same over down and up."""
        self._listener.up()

    def down(self):
        """Refuses connections, and ends those that are open, until `up`."""
        self._listener.down()

    def close(self):
        self.down()
        self.bulks.close()
        self.outgoing.close()
