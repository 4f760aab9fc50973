"""A stand-in for a Magento shop, for the demo and the tests: the REST routes that the connector needs, with the rules
behind them.

Standard library only, and no message code of the product: a wrong field name on one side must not be cancelled out by
the same mistake on the other. `routes/` has what a caller sees, a file for each group of routes; the files beside it
have the rules.

The control interface (`control.py`, JSON over HTTP on a port or socket of its own):

    GET  /state, /settings, /requests, /mails, /gateway, /stock
    GET  /order/INCREMENT_ID    the order with its documents, transactions, mails, what the gateway knows, what is left
    POST /settings              {version, msi, rma, balance, auto_restock, input_limits, …}: see settings.py
    POST /load                  {stores, sources, stocks, attributes, products, source_items}
    POST /csv                   {path}: a product CSV of Magento
    POST /orders-csv            {orders, customers, tax_rates}: paths of CSVs as in Magento's sample data
    POST /generate              {count, prefix, price}: simple products
    POST /product               {sku, …} | {sku, delete} | {sku, rename}; "uncommitted": true: seen after /commit
    POST /checkout              an order: see checkout.py; "uncommitted": true: seen after /commit
    POST /commit                {transaction[, roll_back]}
    POST /clock                 {move_s} | {fix} | {run}
    POST /faults                see faults.py; {gateway: operation, times, after}, {bulk: times}, {down}; {} clears
    POST /requests              forgets them
    POST /wait-requests         {verb, path, count, timeout_s}
    POST /wait-bulks            {timeout_s}

    as people do in the administration:
    POST /invoice, /ship, /refund, /cancel, /hold, /status, /return, /edit-order    {increment_id, …}
    POST /stock                 {sku, quantity[, source]} | {sku, item}

What a real shop does and this one does not: it caches, indexes and compiles nothing (a change is seen at once, but for
what is "uncommitted"); it renders no labels, PDFs or mail texts; it has no carts, categories, tier or special prices,
catalog rules and no plugins of others; taxes are calculated by row, with one rate an item, after discounts; every
charge besides lines and shipping goes on the first invoice and the first credit memo; reservations are never cleaned
up; store credit is refunded as fields of a memo only, no balance is kept; nothing is kept over a restart; and its texts
are those of 2.4, except where a rule tells versions apart.

`./shop` starts it and talks to it. In the tests' own process, `Shop` is the same without the control interface.
"""

from .checkout import place
from .faults import Faults
from .settings import PaymentMethod, Settings
from .shop import Shop

__all__ = ["Faults", "PaymentMethod", "Settings", "Shop", "place"]
