"""Product attributes and their options, by whose ids products say their values."""

from .errors import not_found


class Attributes:
    def __init__(self):
        self._by_code = {}

    def put(self, code, label=None, input_type="text", options=()):
        """`options`: labels; their values are numbers that count on over all attributes. Returns {label: value}."""
        attribute = self._by_code.setdefault(code, {
            "attribute_id": 100 + len(self._by_code), "attribute_code": code, "frontend_input": input_type,
            "default_frontend_label": label or code, "is_user_defined": True, "scope": "store", "options": []})
        known = {option["label"]: option["value"] for option in attribute["options"]}
        for name in options:
            if name not in known:
                known[name] = str(1000 * attribute["attribute_id"] + len(known) + 1)
                attribute["options"].append({"label": name, "value": known[name]})
        if options:
            attribute["frontend_input"] = "multiselect" if input_type == "multiselect" else "select"
        return known

    def id(self, code):
        """Makes the attribute up when there is none: a configurable product needs its own."""
        if code not in self._by_code:
            self.put(code)
        return self._by_code[code]["attribute_id"]

    def get(self, code):
        if code not in self._by_code:
            raise not_found("attributeCode", code)
        return self._by_code[code]

    def all(self):
        return list(self._by_code.values())
