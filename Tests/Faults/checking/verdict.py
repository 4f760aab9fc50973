"""What is wrong with a run."""

import collections

from . import incoming, outgoing
from .findings import RULES, Finding

__all__ = ["RULES", "Finding", "summary", "verdict"]

SHOWN = 5  # findings of one rule


def verdict(run):
    """All findings; none for a run that is in order."""
    return [*incoming.check(run), *outgoing.check(run)]


def summary(run, findings):
    """The verdict for people: what was looked at, then what is wrong."""
    replies = collections.Counter(event["outcome"] for event in run.deliveries)
    statuses = collections.Counter(f"{row['direction']} {row['status']}" for row in run.journal)
    killed = collections.Counter(event["process"] for event in run.kills)
    lines = [
        f"killed    {_counts(killed)}",
        f"incoming  {len({event['id'] for event in run.deliveries})} messages, attempts: {_counts(replies)}",
        f"outgoing  {len(run.requests)} requests, {len(run.received)} receipts of {len({e['id'] for e in run.received})} messages",
        f"journal   {_counts(statuses)}",
        f"effects   {len(run.inbox)}, {len(run.stock)} rows of stock",
    ]
    for rule, meaning in RULES.items():
        found = [finding for finding in findings if finding.rule == rule]
        if found:
            lines.append(f"{rule.upper()}  {len(found)}: {meaning}")
            lines += [f"  {finding.what}" for finding in found[:SHOWN]]
    lines.append("in order" if not findings else f"{len(findings)} findings")
    return "\n".join(lines)


def _counts(counter):
    return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"
