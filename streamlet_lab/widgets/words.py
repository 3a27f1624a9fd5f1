"""How the values of settings read."""

from collections.abc import Mapping
from typing import Any, Final

from streamlet_lab.errors import shown

#: How a name reads, where that is not the name itself with spaces in it.
_WRITTEN: Final[Mapping[str, str]] = {
    "2f+1": "2⌊(n−1)/3⌋ + 1",  # whatever the model's own f is
    "gjr_garch": "GJR-GARCH-t",
    "gjr_garch_mle": "GJR-GARCH-t, MLE",
    "gbm": "GBM",
    "merton": "Merton jumps",
    "regime": "regimes",
    "1s": "1 s an epoch",
    "1min": "1 min an epoch",
    "1h": "1 h an epoch",
    "6.5h": "6.5 h an epoch",
    "mad_filter": "MAD filter",
    "pyth": "Pyth's votes",
    "volume_weighted_median": "weighted median",
    "vwap": "VWAP",
    "luld": "LULD",
    "twap": "TWAP",
    "ed25519": "Ed25519",
    "aapl": "AAPL's history",
    "msft": "MSFT's history",
    "ibm": "IBM's history",
    "goog": "GOOG's history",
}


def write(value: Any) -> str:
    """Write a value as people read it."""
    match value:
        case bool():
            return "on" if value else "off"
        case (start, None):
            return f"{start} to the end"
        case (start, stop):
            return f"{start} to {stop}"
        case str():
            return _WRITTEN.get(value, value.replace("_", " "))
        case int():
            return shown(value)
        case _:
            return f"{value:.6g}" if isinstance(value, float) else f"{value}"
