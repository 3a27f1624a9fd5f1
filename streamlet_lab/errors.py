"""The lab's own errors: every one names what was wrong and what would be right."""


class StreamletLabError(Exception):
    """Base of every error that the lab raises on purpose."""


class InvalidInput(StreamletLabError, ValueError):
    """A value that a person or a file gave is not acceptable.

    Parameters
    ----------
    field : str
        The name under which the value was given, such as ``nodes`` or ``market.traders``.
    value : object
    expected : str
        What would be valid, as the end of a sentence: ``an integer of at least 1``.
    """

    def __init__(self, field: str, value: object, expected: str) -> None:
        super().__init__(f"{field}: {value!r} is not valid; expected {expected}")
        self.field = field
        self.value = value
        self.expected = expected

    def __reduce__(self) -> tuple[type["InvalidInput"], tuple[str, object, str]]:
        # An executor sends errors from one process to another.
        return type(self), (self.field, self.value, self.expected)


class DataError(StreamletLabError):
    """A file that the lab needs is missing, or is not what it was when it was written."""
