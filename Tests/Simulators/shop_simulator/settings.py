"""What can be chosen of a shop. Tests change it at any time, over `Shop.settings` or the control interface's
/settings."""

from dataclasses import dataclass, field, fields

STATES = ("new", "pending_payment", "processing", "complete", "closed", "canceled", "holded", "payment_review")


@dataclass(frozen=True)
class PaymentMethod:
    """A payment method as its module declares it."""

    gateway: bool = False
    action: str | None = None  # at checkout: None, "authorize" or "authorize_capture"
    can_capture: bool = False
    can_capture_partial: bool = False  # no: the first capture closes the authorisation
    can_refund: bool = False
    can_void: bool = False


PAYMENT_METHODS = {
    **dict.fromkeys(("checkmo", "banktransfer", "cashondelivery", "purchaseorder", "free"), PaymentMethod()),
    "gateway": PaymentMethod(True, "authorize", True, True, True, True),
    "gateway_single_capture": PaymentMethod(True, "authorize", True, False, True, True),
    "gateway_sale": PaymentMethod(True, "authorize_capture", True, True, True, True),
}


def default_statuses():
    """status → the states that it is assigned to; the first status of a state is its default."""
    return {
        "pending": ["new"], "pending_payment": ["pending_payment"], "processing": ["processing"],
        "complete": ["complete"],
        "closed": ["closed"], "canceled": ["canceled"], "holded": ["holded"], "payment_review": ["payment_review"],
        "fraud": ["payment_review", "processing"],
    }


@dataclass
class Settings:
    version: str = "2.4"  # "2.2": quantities to ship, states after a save, texts and checks as in 2.2
    msi: bool = True  # Magento_Inventory* enabled
    rma: bool = True  # Magento_Rma enabled
    balance: bool = True  # gift cards, customer balance and reward points enabled
    # Integration tokens: token → permitted resources, None for all.
    tokens: dict = field(default_factory=lambda: {"shop-token": None})
    bearer_integration_tokens: bool = True  # off by default from 2.4.4: OAuth signatures only
    # OAuth 1.0a: consumer key → {consumer_secret, token, token_secret, resources}.
    consumers: dict = field(default_factory=dict)
    admins: dict = field(default_factory=dict)  # name → password
    two_factor: bool = True  # default since 2.4: no admin tokens by password
    admin_token_life_s: int = 4 * 3600
    # Input limits, on by default from 2.4.3 and 2.3.7-p1.
    input_limits: bool = True
    synchronous_limit: int = 20
    asynchronous_limit: int = 5000
    page_limit: int = 300
    default_page: int = 20
    auto_restock: bool = False  # cataloginventory/item_options/auto_return
    zero_total_refund: bool = True  # sales/zerograndtotal_creditmemo/allow_zero_grandtotal
    shipping_shown_with_tax: bool = False  # then amounts of shipping to refund include tax
    prices_include_tax: bool = False
    shipping_includes_tax: bool = False
    # Routes of other modules: "POST /V1/companion/balance" → the answer. They do nothing; their calls are recorded as
    # all are.
    companion_routes: dict = field(default_factory=dict)
    commerce: bool = True  # the commercial edition: webhooks and events
    # [{event, url, required, timeout_s, fallback}]: asked before the event; see outgoing.py for the names of events.
    webhooks: list = field(default_factory=list)
    events_url: str = ""  # where events are sent after a save
    consumers_running: bool = True  # the queue consumer of async.operations.all
    statuses: dict = field(default_factory=default_statuses)
    payment_methods: dict = field(default_factory=lambda: dict(PAYMENT_METHODS))

    def __post_init__(self):
        self._check()

    @property
    def old(self):
        """Whether it behaves as 2.2 does."""
        return self.version.startswith("2.2")

    def change(self, **changes):
        known = {f.name for f in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"setting {name!r} is not one of {', '.join(sorted(known))}")
            if name == "payment_methods":
                value = {code: m if isinstance(m, PaymentMethod) else PaymentMethod(**m) for code, m in value.items()}
            setattr(self, name, value)
        self._check()

    def default_status(self, state):
        """The first status that is assigned to the state."""
        return next((status for status, states in self.statuses.items() if states[0] == state), state)

    def _check(self):
        if not self.version.startswith(("2.2", "2.4")):
            raise ValueError(f"version {self.version!r} is neither 2.2 nor 2.4")
        unknown = {state for states in self.statuses.values() for state in states} - set(STATES)
        if unknown:
            raise ValueError(f"statuses: {sorted(unknown)} are no order states; known are {', '.join(STATES)}")
