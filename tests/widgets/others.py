"""Another value than the default for every setting of the explorer, and what it changes."""

from streamlet_lab.widgets.explorer_settings import CONTROLS

from . import changes

# What the controls of the bench have otherwise, by name.
_OWN = {
    "faulty": (2, {"faults.0.count": 2}),
    "picture": ("sources", {}),
    "median_delay_ms": (90, {"network.median_delay": "90ms"}),
    "one_way": (True, {}),
    "lying": (
        1,
        {"faults.1.kind": "adaptive", "faults.1.nodes.0": "external_feed", "faults.1.start": 0},
    ),
    "lie": ("volume_inflating", {}),
    "lying_epochs": ((4, 9), {}),
    "band_percent": (2.5, {"market.band_percent": "2.5"}),
    "stale": (
        "widen",
        {
            "market.band_parameters.stale": "widen",
            # Three epochs of a trading day.
            "market.band_parameters.stale_after": 3 * 6.5 * 3_600,
        },
    ),
    "stale_epochs": (2, {}),
}
_BENCH = {
    name: (tuple(value) if isinstance(value, list) else value, change)
    for name, (value, change) in changes.CHANGES.items()
}
_FLOATS = ("zero_intelligence", "market_maker", "manipulator")


def _values(name):
    value, change = (_BENCH | _OWN)[name]
    return float(value) if name in _FLOATS else value, change


#: By field: the value, and all that it changes in the document of the experiment.
CHANGES = {name: _values(name) for name in CONTROLS}

OTHERS = {name: value for name, (value, _) in CHANGES.items()}
