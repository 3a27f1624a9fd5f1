"""Settings to begin with: each shows one thing, says it in a sentence, and names its lesson."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from streamlet_lab.fixed import fixed


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings of controls that show one thing.

    Attributes
    ----------
    label, sentence : str
    lesson : str
        The notebook that explains it, without its ending.
    settings : mapping
        Of controls, by name.
    against : str, optional
        The preset that it is to be compared with.
    """

    label: str
    sentence: str
    lesson: str
    settings: Mapping[str, Any]
    against: str | None = None


# Nothing moves the price but a diffusion of about 0.1 % an epoch, so that what does is seen.
_STILL: Final = {"market_time": "1min", "nights": 0, "intraday": 0}
_JUMP: Final = {**_STILL, "jump_percent": 8, "jump_s": 30.5, "noise_trader": 20}
_SPLIT: Final = {"nodes": 5, "faulty": 1, "fault": "split", "partition_s": [10, 20]}

#: The presets by name, in the order of a lecture.
PRESETS: Final[Mapping[str, Preset]] = {
    "calm": Preset(
        "calm",
        "Four honest nodes: a block is final a little more than an epoch after it was proposed.",
        "02_streamlet",
        {},
    ),
    "one_crashed": Preset(
        "one crashed",
        "Three of four are still a quorum, but each epoch that the fourth leads has no block, and "
        "what comes before it waits for three in a row.",
        "02_streamlet",
        {"faulty": 1},
        "calm",
    ),
    "two_neighbours": Preset(
        "two crashed, neighbours",
        "Nodes 5 and 6 of seven are down. They lead one after the other, so that five in a row "
        "are left, and three of them make blocks final.",
        "02_streamlet",
        {"nodes": 7, "faulty": 2},
    ),
    "two_apart": Preset(
        "two crashed, apart",
        "Nodes 2 and 6 of seven are down. No more than three live leaders follow one another, so "
        "that finality comes once in seven epochs, and takes nearly twice as long.",
        "02_streamlet",
        {"nodes": 7, "faulty": 2, "placed": "apart"},
        "two_neighbours",
    ),
    "lying_leader": Preset(
        "lying leader",
        "Node 3 claims a price of its own invention. No honest node votes for it, no false price "
        "becomes final, and its epochs are as good as lost.",
        "05_byzantine_faults",
        {"faulty": 1, "fault": "lying_leader"},
        "one_crashed",
    ),
    "colluding_feed": Preset(
        "colluding feed",
        "One source of three says the highest price that the rules accept. The mean follows it, by "
        "more than the 5 % of the band in the end, and half of the fair orders are denied.",
        "09_manipulation",
        {**_STILL, "lying": 1, "lie": "colluding", "fat_finger": 0},
    ),
    "partition": Preset(
        "partition of ten epochs",
        "Two and two cannot reach each other from 20 s to 30 s. Neither half has a quorum: nothing "
        "becomes final, and nothing that conflicts.",
        "05_byzantine_faults",
        {"partition_s": [20, 30]},
    ),
    "before_gst": Preset(
        "delays beyond Δ until GST",
        "Until 20 s messages take fifty times as long, and nothing is final. Then delays are below "
        "Δ again, and finality is back within a few epochs.",
        "04_finalization_latency",
        {"gst_s": 20, "slowdown": 50},
    ),
    "jump": Preset(
        "price jump of 8 %",
        "At 30.5 s the price jumps out of the band around what is final. Until a newer price is "
        "final, fair orders are refused, and trades at the old price are unfair.",
        "07_stale_reference",
        _JUMP,
    ),
    "luld": Preset(
        "LULD against the consensus band",
        "The same jump, under a band around the market's own trades. It knows of no consensus: no "
        "fair order is outside, but it stops the market, and in this run more trades are unfair.",
        "08_bands_compared",
        {**_JUMP, "band": "luld"},
        "jump",
    ),
    "unsafe_quorum": Preset(
        "n = 5 with quorum 3",
        "Two quorums of three share one node, and that one is Byzantine: from 10 s to 20 s it "
        "leads each half along a chain of its own, and both are final. Four votes would be safe.",
        "05_byzantine_faults",
        {**_SPLIT, "quorum": 3},
    ),
}
for _preset in PRESETS.values():
    object.__setattr__(_preset, "settings", fixed(dict(_preset.settings)))


def describe_presets() -> list[dict[str, Any]]:
    """Return the presets as plain data for the browser."""
    told = ("label", "sentence", "lesson", "against")
    return [
        {"name": name, "settings": dict(preset.settings)}
        | {field: getattr(preset, field) for field in told}
        for name, preset in PRESETS.items()
    ]
