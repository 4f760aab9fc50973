"""A stand-in for the OMS and its service bus, for the demo and the tests.

Standard library only, and no message code of the product: a wrong field name on one side must not be cancelled out by the
same mistake on the other.
"""

from .bus import Bus, Delivery, Options
from .faults import Faults
from .history import History
from .oms import Oms
from .recording import Recorded
from .sending import Manner, Message, Sender
from .snapshots import snapshot, snapshot_parts

__all__ = ["Bus", "Delivery", "Faults", "History", "Manner", "Message", "Oms", "Options", "Recorded", "Sender", "snapshot", "snapshot_parts"]
