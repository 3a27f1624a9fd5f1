"""Two results side by side: which settings, blocks, orders and other rows of theirs differ."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from streamlet_lab.checks import CheckResult
from streamlet_lab.config import ExperimentConfig
from streamlet_lab.errors import InvalidInput
from streamlet_lab.frames import OwnCopies
from streamlet_lab.texts import html_table, printable

if TYPE_CHECKING:
    import pandas as pd

#: By which columns the rows of two frames are paired; rows with the same are paired in their order.
KEYS: Final[dict[str, tuple[str, ...]]] = {
    "settings": ("setting",),
    "checks": ("check",),
    "epochs": ("epoch",),
    "prices": ("epoch", "symbol"),
    "blocks": ("epoch", "proposer"),
    "finality": ("epoch", "node"),
    "quotes": ("epoch", "symbol", "source"),
    "orders": ("symbol", "order_id"),
    "trades": ("symbol", "trade_id"),
    "rejections": ("symbol", "order_id"),
    "bands": ("epoch", "symbol"),
    "book": ("time_s", "symbol"),
    "depth": ("time_s", "symbol", "side", "level"),
    "messages": ("epoch", "kind"),
    "trace": ("epoch", "kind", "author", "receiver"),
    "violation": ("epoch", "proposer"),
    "forensics": ("culprit",),
}

# Integers and truth values that stay such where the other result has no row.
_WITH_MISSING: Final = {"int64": "Int64", "bool": "boolean"}
_SHOWN: Final = 3


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """What differs between two results.

    Attributes
    ----------
    frames : mapping of str to DataFrame
        The rows that differ, of ``settings``, ``checks`` and each frame of a result; those without
        a difference are not there. The index has what rows are paired by, such as epoch and
        proposer. Columns are pairs such as ``("price", "self")`` and ``("price", "other")``, of the
        columns in which some row differs. Where one result has no such row, its cells are missing;
        a setting that it does not have is ``not set``.
    rows : mapping of str to int
        How many rows either result has, by the same names and for all of them.
    """

    frames: Mapping[str, "pd.DataFrame"]
    rows: Mapping[str, int]

    @property
    def equal(self) -> bool:
        """Whether nothing differs."""
        return not self.frames

    def __repr__(self) -> str:
        return "\n".join(printable(f"{label:<11} {text}") for label, text in self._lines())

    def _repr_html_(self) -> str:
        return html_table(self._lines())

    def _lines(self) -> Iterator[tuple[str, str]]:
        if self.equal:
            yield "equal", "no setting, check or row of a frame differs"
        for name, frame in self.frames.items():
            if name == "settings":
                values = [f"{key}: {one} and {other}" for key, one, other in frame.itertuples()]
                yield name, _few(values, "; ")
                continue
            keys = _few([*map(_key, frame.index)])
            columns = _few([*frame.columns.unique(0)])
            yield name, f"{len(frame)} of {self.rows[name]} rows ({keys}), in {columns}"


def compare(mine: Mapping[str, "pd.DataFrame"], others: Mapping[str, "pd.DataFrame"]) -> Comparison:
    """Compare the frames of two results, `settings` and `checks` among them."""
    differing, rows = {}, {}
    for name, frame in mine.items():
        other = others[name]
        if [*frame.columns] != [*other.columns]:
            expected = (
                "a result of the same kind: both of the whole system, or of the bare protocol"
            )
            raise InvalidInput("other", f"a result with other columns in {name!r}", expected)
        rows[name], differs = _differing(frame, other, [*KEYS[name]])
        if len(differs):
            differing[name] = differs.fillna("not set") if name == "settings" else differs
    return Comparison(OwnCopies(differing), rows)


def other_frames(
    config: ExperimentConfig, checks: Mapping[str, CheckResult]
) -> "dict[str, pd.DataFrame]":
    """Return settings and checks as frames, which a comparison has beside those of a result."""
    import pandas as pd

    settings = pd.DataFrame(_flat(config.to_document()), columns=["setting", "value"], dtype=object)
    rows = [(check.name, str(check.status), check.evidence) for check in checks.values()]
    return {
        "settings": settings,
        "checks": pd.DataFrame(rows, columns=["check", "status", "evidence"], dtype=object),
    }


def _flat(document: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in document.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


def _differing(
    mine: "pd.DataFrame", others: "pd.DataFrame", keys: list[str]
) -> "tuple[int, pd.DataFrame]":
    """Return how many rows there are of both together, and those that differ."""
    numbers = [frame.groupby(keys).cumcount() for frame in (mine, others)]
    if any(number.any() for number in numbers):
        mine, others = (
            frame.assign(number=number)
            for frame, number in zip((mine, others), numbers, strict=True)
        )
        keys = [*keys, "number"]
    one, other = (
        frame.astype(
            {name: _WITH_MISSING.get(str(kind), kind) for name, kind in frame.dtypes.items()}
        ).set_index(keys)
        for frame in (mine, others)
    )
    index = one.index.union(other.index, sort=False)
    return len(index), one.reindex(index).compare(other.reindex(index), keep_equal=True)


def _few(texts: Sequence[str], between: str = ", ") -> str:
    """Return the first texts, and how many more there are."""
    more = [f"{len(texts) - _SHOWN} more"] if len(texts) > _SHOWN else []
    return between.join([*texts[:_SHOWN], *more])


def _key(key: object) -> str:
    return " ".join(map(str, key)) if isinstance(key, tuple) else str(key)
