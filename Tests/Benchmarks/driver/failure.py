"""What stops a benchmark."""


class Failure(Exception):
    """The benchmark could not be run; the message says what, with which value, and what to do."""
