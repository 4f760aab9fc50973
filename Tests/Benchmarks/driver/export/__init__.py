"""Exports: the shop's whole catalog, and its orders, on their way to the OMS; and what memory that takes."""

from .benchmark import run

__all__ = ["run"]
