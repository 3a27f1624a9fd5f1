"""The names under which kinds of faults and of delays are registered."""

import re
from collections.abc import Collection

from streamlet_lab.errors import InvalidInput

_NAME = re.compile(r"[a-z_][a-z0-9_]*", re.ASCII)


def check_kind_name(name: object, own: Collection[str], decorator: str) -> None:
    """Refuse what cannot be the name of a kind.

    Parameters
    ----------
    name : object
        What the decorator was given.
    own : collection of str
        The lab's own kinds, which nobody may replace.
    decorator : str
        What the decorator is called.

    Raises
    ------
    InvalidInput
        If it is no name, or one of the lab's own.
    """
    if callable(name):
        raise InvalidInput("name", name, f'a name in parentheses: @{decorator}("name")')
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        expected = "lowercase letters, digits and underscores, such as 'my_kind'"
        raise InvalidInput("name", name, expected)
    if name in own:
        raise InvalidInput("name", name, "a name other than the lab's own kinds")
