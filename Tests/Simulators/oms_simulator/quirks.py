"""How the two public stand-ins spell what they say, where they differ from the catalogue (messages.md §4.6 and §4.9).
A receiver has to take all of it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Quirks:
    name: str
    numbers_as_texts: bool = False  # line numbers and quantities of shipments
    blank_in_dates: bool = False  # 2024-02-03 04:05:06+00:00
    lower_case_lines: bool = False  # statuses of lines
    joined_words: bool = False  # PENDINGREMORSETIME
    misspelt_shipment: bool = False  # shimpent_id and no shipment request, neither carrier nor tracking, an empty address
    items_in_packages: bool = False  # aggregated_items name order items where line numbers belong
    empty_lists: bool = False  # [] where an object belongs
    bare_refunds: bool = False  # no client, no ref, and the source in store_id
    captures_announced: bool = False  # updates after a shipment say what is to be captured


STANDARD = Quirks("standard")
PHP = Quirks("php", numbers_as_texts=True, blank_in_dates=True, lower_case_lines=True, items_in_packages=True,
             empty_lists=True, bare_refunds=True, captures_announced=True)
GO = Quirks("go", blank_in_dates=True, joined_words=True, misspelt_shipment=True)
