"""Input limits: how many entities a body may have (magento-rules §4, on by default from 2.4.3)."""

from .errors import ShopError


def check(body, settings, asynchronous):
    """ShopError 400 when a list of objects is longer than allowed."""
    if not settings.input_limits:
        return
    limit = settings.asynchronous_limit if asynchronous else settings.synchronous_limit
    for name, entries in _lists("payload", body):
        if len(entries) > limit:
            raise ShopError(400, 'Maximum items of type "%type" is %max', {"type": name, "max": limit})


def _lists(name, value):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lists(key, inner)
    elif isinstance(value, list) and any(isinstance(entry, dict) for entry in value):
        yield name, value
        for entry in value:
            yield from _lists(name, entry)
