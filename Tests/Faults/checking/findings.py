"""How a run can be wrong."""

from dataclasses import dataclass

RULES = {
    "lost": "acknowledged, and without its effect or its delivery",
    "doubled": "had its effect, or became a message, more than once",
    "reordered": "messages of one key out of their order",
    "repeated": "delivered again although nothing was lost",
    "unlike": "the same message answered or sent in two ways",
    "stuck": "neither done nor given up in the end",
    "invented": "nobody has sent or asked for it",
    "disagrees": "the journal, or the stock, does not say what has happened",
}


@dataclass(frozen=True)
class Finding:
    rule: str
    what: str

    def __post_init__(self):
        assert self.rule in RULES, self.rule
