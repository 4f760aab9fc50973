"""A stand-in for the OMS and its service bus, for the demo and the tests.

Standard library only, and no message code of the product: a wrong field name on one side must not be cancelled out by the
same mistake on the other.
"""

from .after_sales import AfterSales
from .bus import Bus, Delivery, Options
from .faults import Faults
from .history import History
from .oms import Oms
from .order_life import Calendar, OrderLife
from .quirks import GO, PHP, STANDARD, Quirks
from .received import Received
from .recording import Recorded
from .sending import Manner, Message, Sender
from .snapshots import snapshot, snapshot_parts

__all__ = [
    "AfterSales", "Bus", "Calendar", "Delivery", "Faults", "GO", "History", "Manner", "Message", "Oms", "Options", "OrderLife",
    "PHP", "Quirks", "Received", "Recorded", "STANDARD", "Sender", "snapshot", "snapshot_parts",
]
