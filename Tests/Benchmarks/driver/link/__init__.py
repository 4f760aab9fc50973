"""The link to the OMS: its callbacks into the durable journal, what a crash costs, and what a long queue takes."""

from .benchmark import run

__all__ = ["run"]
