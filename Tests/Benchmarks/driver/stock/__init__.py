"""Stock into the store, on SQLite and PostgreSQL: against bare loops, with replicas, while it is read, and as it grows."""

from .benchmark import PARTS, run
from .curve import run as run_curve

__all__ = ["PARTS", "run", "run_curve"]
