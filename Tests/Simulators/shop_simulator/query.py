"""What stands behind the question mark: PHP's nested names, and `fields=`."""

import re
from urllib.parse import parse_qsl


def nested(query):
    """a[b][0][c]=v as dictionaries: {"a": {"b": {"0": {"c": "v"}}}}. `[]` counts on."""
    result = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        head, _, rest = name.partition("[")
        keys = [head, *re.findall(r"\[?([^\[\]]*)\]", "[" + rest)] if rest else [head]
        at = result
        for key in keys[:-1]:
            at = at.setdefault(key or str(len(at)), {})
            if not isinstance(at, dict):
                break
        else:
            at[keys[-1] or str(len(at))] = value
    return result


def parse_fields(text):
    """items[sku,name],total_count as {"items": {"sku": None, "name": None}, "total_count": None}; None keeps all
    below."""
    stack = [{}]
    word = ""
    for character in text + ",":
        if character == "[":
            inner = {}
            stack[-1][word.strip()] = inner
            stack.append(inner)
        elif character in ",]":
            if word.strip():
                stack[-1].setdefault(word.strip(), None)
            if character == "]" and len(stack) > 1:
                stack.pop()
        word = "" if character in "[],"  else word + character
    return stack[0]


def trimmed(value, fields):
    """Only those fields of a dictionary, or of each in a list."""
    if fields is None:
        return value
    if isinstance(value, list):
        return [trimmed(entry, fields) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: trimmed(value[name], inner) for name, inner in fields.items() if name in value}
