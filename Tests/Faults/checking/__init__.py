"""Decides from both sides' histories, and from what is stored in the end, whether the connector has kept its promise:

- no acknowledged message without its effect, and none with two;
- the order of each key;
- every message for the OMS arrives or is accounted for, and comes again only when its answer may have been lost;
- the journal says what has happened.

Pure: reads the files that a test has left in a folder, talks to nobody. No code of the product or of the simulator.
"""

from .run import Run
from .verdict import RULES, Finding, verdict

__all__ = ["RULES", "Finding", "Run", "verdict"]
