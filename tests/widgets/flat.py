"""Documents as tables."""


def flat(value, place=""):
    """Return the leaves of a document by their places."""
    if isinstance(value, dict):
        parts = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
    else:
        return {place.removeprefix("."): value}
    return {
        key: leaf for name, part in parts for key, leaf in flat(part, f"{place}.{name}").items()
    }
