"""The former place of two checks."""

from streamlet_lab.checks.safety import Consistency, UniqueNotarization

__all__ = ["Consistency", "UniqueNotarization"]
