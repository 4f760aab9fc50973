"""How Magento says no: an HTTP status and {message, parameters}, placeholders not filled in."""


class ShopError(Exception):
    """The answer to a call that was refused. `parameters`: a list for %1, %2 …, a dictionary for %name …"""

    def __init__(self, status, message, parameters=None, errors=None):
        super().__init__(f"{status} {message} {parameters or ''}".strip())
        self.status = status
        self.message = message
        self.parameters = parameters
        self.errors = errors

    def body(self):
        answer = {"message": self.message}
        if self.errors:
            answer["errors"] = [error.body() for error in self.errors]
        if self.parameters:
            answer["parameters"] = self.parameters
        return answer

    def filled(self):
        """The message with its placeholders filled in, as an operation of a bulk shows it."""
        pairs = self.parameters or {}
        if isinstance(pairs, list):
            pairs = {str(number): value for number, value in enumerate(pairs, 1)}
        said = self.message
        for name, value in pairs.items():
            said = said.replace(f"%{name}", str(value))
        return said


def refused(message, *parameters):
    """400: a rule of the shop."""
    return ShopError(400, message, list(parameters))


def required(name):
    """400: a field is missing."""
    return ShopError(400, '"%fieldName" is required. Enter and try again.', {"fieldName": name})


def wrong_type(value, wanted):
    """400: a value that is no `wanted`: int, …"""
    return ShopError(400, 'The "%value" value\'s type is invalid. The "%type" type was expected. Verify and try again.',
                     {"value": value, "type": wanted})


def invalid(prefix, messages):
    """400: the validators of a document (invoice, shipment, credit memo), all they say in one text."""
    return ShopError(400, f"{prefix} Document Validation Error(s):\n" + "\n".join(messages))


def missing():
    """404: an order, invoice, shipment … that there isn't."""
    return ShopError(404, "The entity that was requested doesn't exist. Verify the entity and try again.")


def not_found(field, value):
    """404: a thing found by a field of its own."""
    return ShopError(404, "No such entity with %fieldName = %fieldValue", {"fieldName": field, "fieldValue": value})


def no_permission(resource):
    """401, not 403 (magento-rules §4)."""
    return ShopError(401, "The consumer isn't authorized to access %resources.", {"resources": resource})
