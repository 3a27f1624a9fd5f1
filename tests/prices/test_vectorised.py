"""Quotes of a long stretch at once: the same law as step by step, exactly where nothing is random.

Where something is, both are compared by two-sample Kolmogorov-Smirnov tests, which a table with a
planted error has to fail, or with a closed form. Seeds are fixed. Of all comparisons together one
fails by chance once in a thousand choices of them; the other intervals are of four and a half
standard errors.
"""

import functools
import itertools
import math
import random
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from streamlet_lab.errors import InvalidInput
from streamlet_lab.prices import vectorised
from streamlet_lab.prices.feeds import SIMULATED, STEPS_PER_EPOCH, QuoteFeed, make_path
from streamlet_lab.prices.models import Day, GjrGarch, Jump
from streamlet_lab.prices.paths import TRADING_DAY, SimulatedPath
from streamlet_lab.prices.sources import Source, standard_sources
from streamlet_lab.prices.vectorised import TRADING_YEAR, quote_table
from streamlet_lab.streams import generator, stream
from streamlet_lab.units import to_micros

Floats = NDArray[np.float64]

SECOND = 1_000_000
MINUTE = 60 * SECOND
MODELS = ("gbm", "gjr_garch", "merton", "regime")
# So wide that the path never meets them: nothing is folded.
WIDE = (Decimal("0.01"), Decimal(10_000_000))

COLUMNS = ("cents", "shares", "confidence_micros")
SOURCES = (
    Source("plain"),
    Source("late", noise_bp=0, lag=5 * SECOND, volume_share=2),
    Source("patchy", noise_bp=3, bias_bp=-2, outage=0.2, outage_epochs=10, confidence_bp=4),
)


def _walk(rows: int, step: int, **settings: Any) -> pd.DataFrame:
    """The true price of the step-by-step path."""
    path = SimulatedPath(stream(0, "test"), step, **settings)
    return pd.DataFrame({"true_micros": [path.price(row * step) for row in range(rows)]})


def _walk_with_quotes(rows: int, step: int, **settings: Any) -> pd.DataFrame:
    """The same, and what the step-by-step feed quotes."""
    feed = QuoteFeed(SimulatedPath(stream(0, "test"), step, **settings), step, 0, SOURCES)
    table = _walk(rows, step, **settings)
    for source in SOURCES:
        said = np.full((3, rows), np.nan)
        for row in range(rows):
            for quote in feed.quotes(row):
                if quote.source == source.name:
                    confidence = to_micros(quote.confidence or Decimal(0))
                    said[:, row] = 100 * quote.price, quote.volume, confidence
        for column, values in zip(COLUMNS, said, strict=True):
            table[f"{source.name}_{column}"] = values
    return table


def _table(
    rows: int, step: int, sources: tuple[Source, ...] = SOURCES, **settings: Any
) -> pd.DataFrame:
    duration, step_text = f"{rows * step}us", f"{step}us"
    return quote_table(duration, step=step_text, sources=sources, **settings)


# The same law: a family of comparisons


def _deviations(logs: Floats, per_day: int) -> Floats:
    """The standard deviation that the default model gives the day of each row."""
    model = GjrGarch()
    variance, found = model.long_run_variance, []
    openings = logs[::per_day]
    for day, opening in enumerate(openings):
        found.append(math.sqrt(variance) / 100)
        if day + 1 < len(openings):
            variance = model.next_variance(variance, 100 * (openings[day + 1] - opening))
    return np.repeat(found, per_day)[: len(logs)]


def _runs(states: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Lengths of the runs that are true, and of the others, without the cut ones at both ends."""
    starts = np.flatnonzero(np.diff(states.astype(int))) + 1
    lengths = np.diff(starts).astype(float)
    first = states[starts[0]]
    return (lengths[::2], lengths[1::2]) if first else (lengths[1::2], lengths[::2])


def _steps(table: pd.DataFrame, per_day: int, rows: int = 1) -> Floats:
    """Moves of the logarithm within a day over so many rows, in units of the day's deviation."""
    logs = np.log(table.true_micros.to_numpy())
    scaled = logs / _deviations(logs, per_day)
    within = scaled.reshape(-1, per_day)
    moves = (within[:, rows:] - within[:, :-rows]).ravel()
    return np.asarray(moves * math.sqrt(per_day / rows))


def _ranges(table: pd.DataFrame, per_day: int) -> Floats:
    logs = np.log(table.true_micros.to_numpy())
    deviations = _deviations(logs, per_day)[::per_day]
    return np.ptp(logs.reshape(-1, per_day), axis=1) / deviations


def _noise(table: pd.DataFrame, source: str) -> Floats:
    """How far the quotes are from the true price at that instant, basis points."""
    quoted = table[f"{source}_cents"].dropna()
    return (1e8 * quoted / table.true_micros[quoted.index] - 1e4).to_numpy()


def _lagged(table: pd.DataFrame, per_day: int) -> Floats:
    deviations = _deviations(np.log(table.true_micros.to_numpy()), per_day)
    return _noise(table, "late") / deviations


def _volume(table: pd.DataFrame, source: str, third: int) -> Floats:
    """A source's volumes in one of three parts of the day."""
    share = np.arange(len(table)) % SECONDS / SECONDS
    shares = table[f"{source}_shares"].to_numpy()[(3 * share).astype(int) == third]
    return shares[~np.isnan(shares)]


FINE, SECONDS = 4, 23_400  # days, and rows in each
COARSE, PARTS = 1_500, 78


def _family(fine: pd.DataFrame, coarse: pd.DataFrame) -> dict[str, Floats]:
    """What is compared, by its name: of some days in seconds, and of many in five minutes."""
    out, between = _runs(fine.patchy_cents.isna().to_numpy())
    return {
        "steps of a second": _steps(fine, SECONDS),
        "moves of an hour": _steps(coarse, PARTS, 12)[::12],
        "daily ranges": _ranges(coarse, PARTS),
        "noise": _noise(fine, "plain"),
        "noise and bias": _noise(fine, "patchy"),
        "lag": _lagged(fine, SECONDS)[::5],
        "volume in the morning": _volume(fine, "plain", 0),
        "volume at noon": _volume(fine, "plain", 1),
        "volume in the evening": _volume(fine, "plain", 2),
        "volume of a larger share": _volume(fine, "late", 1),
        "outages": out,
        "between outages": between,
    }


NAMES = (
    "steps of a second",
    "moves of an hour",
    "daily ranges",
    "noise",
    "noise and bias",
    "lag",
    "volume in the morning",
    "volume at noon",
    "volume in the evening",
    "volume of a larger share",
    "outages",
    "between outages",
)
SEEDS = (1, 2, 3)
LEVEL = 0.001 / (len(NAMES) * len(SEEDS))  # Bonferroni


@functools.cache
def _walked() -> Mapping[str, Floats]:
    fine = _walk_with_quotes(FINE * SECONDS, SECOND, bounds=WIDE)
    return _family(fine, _walk(COARSE * PARTS, 5 * MINUTE, bounds=WIDE))


def _drawn(
    seed: int = 1, sources: tuple[Source, ...] = SOURCES, **settings: Any
) -> dict[str, Floats]:
    fine = _table(FINE * SECONDS, SECOND, sources, seed=seed, bounds=WIDE, **settings)
    coarse = _table(COARSE * PARTS, 5 * MINUTE, sources, seed=seed, bounds=WIDE, **settings)
    return _family(fine, coarse)


def _rejected(drawn: Mapping[str, Floats]) -> set[str]:
    """The comparisons in which the table and the step-by-step path differ."""
    walked = _walked()
    return {name for name in NAMES if stats.ks_2samp(drawn[name], walked[name]).pvalue < LEVEL}


@pytest.mark.parametrize("seed", SEEDS)
def test_tables_have_the_distribution_of_the_step_by_step_feed(seed: int) -> None:
    drawn = _drawn(seed)

    assert tuple(drawn) == NAMES
    assert _rejected(drawn) == set()


def test_the_comparisons_have_samples_to_speak_of() -> None:
    for sample in (_walked(), _drawn()):
        assert min(map(len, sample.values())) > 700
        assert all(np.isfinite(values).all() for values in sample.values())


def _unpinned(days: int, per_day: int, seed: int) -> Floats:
    steps = generator(seed, "test/unpinned").standard_normal((days, per_day))
    return steps / math.sqrt(per_day)


def _sticky(days: int, per_day: int, seed: int) -> Floats:
    """Steps that are each half of what the last two were: too smooth, at the same variance."""
    steps = _unpinned(days, per_day, seed)
    smooth = (steps + np.roll(steps, 1, axis=1)) / math.sqrt(2)
    return np.asarray(smooth - smooth.mean(axis=1, keepdims=True))


def _with(source: int, **changes: Any) -> tuple[Source, ...]:
    fields = {name: getattr(SOURCES[source], name) for name in Source.__slots__}
    changed = Source(**(fields | changes))
    return (*SOURCES[:source], changed, *SOURCES[source + 1 :])


VOLUMES = {name for name in NAMES if name.startswith("volume")}


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"sources": _with(0, noise_bp=2.0)}, {"noise"}),
        ({"sources": _with(0, noise_bp=1.1)}, {"noise"}),
        ({"sources": _with(2, bias_bp=-1.8)}, {"noise and bias"}),
        ({"sources": _with(1, lag=0)}, {"lag"}),
        ({"sources": _with(1, lag=7 * SECOND)}, {"lag"}),
        ({"sources": _with(1, volume_share=2.2)}, VOLUMES),
        ({"sources": _with(2, outage_epochs=15)}, {"outages", "between outages"}),
        ({"sources": _with(2, outage=0.27)}, {"between outages"}),
        ({"volatility": 1.1}, {"steps of a second"}),
    ],
)
def test_other_settings_are_told_apart(planted: dict[str, Any], found: set[str]) -> None:
    assert found <= _rejected(_drawn(**planted))


@pytest.mark.parametrize(
    ("what", "planted", "found"),
    [
        ("_bridge_steps", _unpinned, {"moves of an hour", "daily ranges"}),
        ("_bridge_steps", _sticky, {"moves of an hour", "daily ranges", "lag"}),
        ("VOLUME_SPREAD", 0.55, VOLUMES),
    ],
)
def test_a_planted_error_is_found(
    monkeypatch: pytest.MonkeyPatch, what: str, planted: object, found: set[str]
) -> None:
    monkeypatch.setattr(vectorised, what, planted)

    assert found <= _rejected(_drawn())


def test_a_volume_that_is_the_same_all_day_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """3,000 shares are the day's mean."""
    _walked()
    monkeypatch.setattr(SimulatedPath, "volume", lambda path, time: 3_000)

    assert _rejected(_drawn()) >= VOLUMES


# Exactly the same, where nothing is random


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("step", ["6.5h", "5min"])
def test_the_days_are_those_of_the_seeds_own_path(name: str, step: str) -> None:
    """To one micro-dollar, for rounding; jumps and reflection included."""
    settings: dict[str, Any] = {"path_model": name, "volatility": 2.0, "trend": 0.5}
    path = make_path(SIMULATED, 5, STEPS_PER_EPOCH * TRADING_DAY, correlation=0.0, **settings)
    table = quote_table(300 * 23_400, step=step, seed=5, **settings)
    openings = table[table.market_time_s % 23_400 == 0].true_micros
    expected = [path.price(day * TRADING_DAY) for day in range(300)]

    assert openings.to_numpy() == pytest.approx(np.array(expected), rel=0, abs=1)


class _Given:
    """A model whose days are given: straight lines and jumps."""

    def __init__(self, days: list[Day]) -> None:
        self._days = days

    def days(self, stream: random.Random) -> Iterator[Day]:
        return itertools.cycle(self._days)


moves = st.floats(-300, 300)
jumps = st.builds(Jump, st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.999]), moves)
straight_days = st.builds(
    Day, moves, st.just(0.0), st.lists(jumps, max_size=3).map(lambda few: _in_order(few))
)


def _in_order(few: list[Jump]) -> tuple[Jump, ...]:
    return tuple(sorted(few, key=lambda jump: jump.time))


@given(
    st.lists(straight_days, min_size=1, max_size=4),
    st.sampled_from([1, 4, 13, 60]),
    st.floats(-2, 2),
    st.floats(-100, 100),
    st.integers(50, 500),
)
def test_without_deviation_the_path_is_the_step_by_step_one(
    days: list[Day], per_day: int, volatility: float, trend: float, base_price: int
) -> None:
    """Lines, jumps at their time, folds at the bounds, volatility and trend: no draw is left."""
    settings: dict[str, Any] = {"volatility": volatility, "trend": trend}
    step, rows = TRADING_DAY // per_day, 5 * per_day
    walked = _walk(rows, step, model=_Given(days), base_price=Decimal(base_price), **settings)
    table = _table(rows, step, path_model=lambda: _Given(days), base_price=base_price, **settings)

    assert table.true_micros.to_numpy() == pytest.approx(walked.true_micros.to_numpy(), abs=2)


@given(st.integers(0, 3 * MINUTE), st.integers(0, 5))
def test_a_lag_is_so_many_steps_rounded_up(lag: int, seed: int) -> None:
    """The price at the last row that is not later than so long ago; the first one before."""
    table = _table(60, SECOND, (Source("late", noise_bp=0, lag=lag),), seed=seed)
    for row, cents in enumerate(table.late_cents):
        true = table.true_micros[max(row * SECOND - lag, 0) // SECOND]
        assert cents == round(true / 10_000)


def test_bias_and_confidence_by_hand() -> None:
    """$150.00 and 25 bp is $150.375, rounded to even; 8 bp of $150.38 are $0.120304."""
    source = Source("high", noise_bp=0, bias_bp=25, confidence_bp=8)
    row = _table(1, SECOND, (source,)).iloc[0]

    assert row.high_cents == 15_038
    assert row.high_confidence_micros == 120_304


def test_a_price_is_one_cent_at_least() -> None:
    bounds = (Decimal("0.001"), Decimal(1))
    table = quote_table(60, base_price="0.001", bounds=bounds)

    assert (table.external_feed_cents == 1).all()


def test_a_source_of_every_other_epoch() -> None:
    """Outages of one epoch that make up half of the time leave no other choice."""
    table = _table(100, SECOND, (Source("half", outage=0.5),))
    out = table.half_cents.isna().to_numpy()

    assert out.sum() == 50
    assert (out[:-1] != out[1:]).all()


# Closed forms


def test_within_a_day_the_covariances_are_those_of_brownian_bridges() -> None:
    """min(s, t) − s·t in units of the day's variance; and normal at each time of the day."""
    days, parts, daily = 4_000, 8, 0.01
    table = _table(
        days * parts,
        TRADING_DAY // parts,
        bounds=WIDE,
        path_model="gbm",
        path_parameters={"volatility": daily * math.sqrt(252)},
    )
    logs = np.log(table.true_micros.to_numpy()).reshape(days, parts)
    times = np.arange(parts) / parts
    opening, closing = logs[:-1, :1], logs[1:, :1]
    bridges = (logs[:-1] - opening - times * (closing - opening))[:, 1:] / daily
    found = bridges.T @ bridges / len(bridges)
    inner = times[1:]
    exact = np.minimum(inner[:, None], inner) - inner[:, None] * inner
    variances = np.diag(exact)
    errors = np.sqrt((variances[:, None] * variances + exact**2) / len(bridges))

    assert (np.abs(found - exact) < 4.5 * errors).all()
    for values, variance in zip(bridges.T, variances, strict=True):
        assert stats.kstest(values / math.sqrt(variance), "norm").pvalue > LEVEL


def _autocorrelations(steps: Floats, lags: int = 10) -> Floats:
    """In standard errors."""
    correlations = [np.corrcoef(steps[lag:], steps[:-lag])[0, 1] for lag in range(1, lags + 1)]
    return np.array(correlations) * math.sqrt(len(steps))


def test_steps_do_not_depend_on_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pinning correlates any two of a day by −1/23,399, which is nothing."""
    assert np.abs(_autocorrelations(_walked()["steps of a second"])).max() < 4.5
    assert np.abs(_autocorrelations(_drawn()["steps of a second"])).max() < 4.5
    monkeypatch.setattr(vectorised, "_bridge_steps", _sticky)
    assert _autocorrelations(_drawn()["steps of a second"])[0] > 50


def test_volume_is_u_shaped_and_split_by_the_shares() -> None:
    """By half-hours; a lognormal factor with deviation 1/2 of the logarithm has √(e^¼ − 1)."""
    table = _table(20 * 390, MINUTE, SOURCES)
    half_hour = np.arange(len(table)) % 390 // 30
    minutes = np.arange(390) / 390
    profile = 4_500 * (1 - 2 * minutes * (1 - minutes))
    expected = profile.reshape(13, 30).mean(axis=1)
    error = 4.5 * math.sqrt((math.exp(0.25) - 1) / (20 * 30))
    for source, share in (("plain", 1 / 4), ("late", 1 / 2)):
        means = table[f"{source}_shares"].groupby(half_hour).mean()
        assert means.to_numpy() == pytest.approx(share * expected, rel=error)


def test_outages_are_a_markov_chain_from_the_first_row_on() -> None:
    """Their share, and the chance to stay out, to fall out, and to begin out."""
    rows, share, length = 200_000, 0.3, 8.0
    source = Source("patchy", outage=share, outage_epochs=length)
    out = _table(rows, SECOND, (source,)).patchy_cents.isna().to_numpy()
    stays, falls = 1 - 1 / length, share / (1 - share) / length
    # The sum of a chain's autocorrelations widens the error of its mean.
    memory = stays - falls
    error = math.sqrt(share * (1 - share) * (1 + memory) / (1 - memory) / rows)

    assert out.mean() == pytest.approx(share, abs=4.5 * error)
    for before, chance in ((True, stays), (False, falls)):
        after = out[1:][out[:-1] == before]
        error = math.sqrt(chance * (1 - chance) / len(after))
        assert after.mean() == pytest.approx(chance, abs=4.5 * error)
    tables = (_table(1, TRADING_DAY, (source,), seed=seed) for seed in range(400))
    first = [table.patchy_cents.isna()[0] for table in tables]
    assert np.mean(first) == pytest.approx(share, abs=4.5 * math.sqrt(share * (1 - share) / 400))


def test_nothing_depends_on_anything_else() -> None:
    """The path's steps, each source's noise, and each one's share of the volume."""
    sources, rows = standard_sources(3), 2 * SECONDS
    one, other = (_table(rows, SECOND, sources, seed=seed) for seed in (0, 1))
    profile = np.arange(rows) % SECONDS / SECONDS
    volume = 1_500 * (1 - 2 * profile * (1 - profile))
    series = [
        *(np.diff(np.log(table.true_micros), append=math.log(150)) for table in (one, other)),
        *(_noise(one, source.name) for source in sources),
        *(np.log(one[f"{source.name}_shares"]) - np.log(volume) for source in sources),
    ]
    # The last step leads out of the table.
    correlations = np.corrcoef([values[:-1] for values in series])

    assert np.abs(correlations - np.eye(8)).max() * math.sqrt(rows) < 4.5


# What a table is


def test_the_columns_and_their_types() -> None:
    table = quote_table(3)

    assert list(table) == [
        "market_time_s",
        "true_micros",
        *(
            f"{source}_{column}"
            for source in ("market_data_1", "market_data_2", "external_feed")
            for column in COLUMNS
        ),
    ]
    assert table.true_micros.dtype == np.int64
    assert (table.drop(columns="true_micros").dtypes == np.float64).all()
    assert list(table.market_time_s) == [0, 1, 2]
    assert list(quote_table(0.5, step="200ms").market_time_s) == [0, 0.2, 0.4]


def test_all_numbers_are_whole_and_a_source_is_silent_altogether() -> None:
    table = _table(5_000, SECOND, SOURCES)
    quotes = table.drop(columns=["market_time_s", "true_micros"])
    patchy = quotes[[f"patchy_{column}" for column in COLUMNS]]
    others = quotes.drop(columns=list(patchy))

    assert (others == others.round()).all(axis=None)
    assert (others >= 0).all(axis=None)
    assert 0 < patchy.isna().any(axis=1).sum() == patchy.isna().all(axis=1).sum() < 5_000
    assert (patchy.dropna() == patchy.dropna().round()).all(axis=None)


def test_a_year_is_of_252_days() -> None:
    assert TRADING_YEAR == 252 * 6.5 * 3_600


@given(st.integers(1, 1_000), st.integers(0, 1_000), st.integers(0, 3))
@settings(max_examples=30)
def test_a_longer_table_begins_with_the_shorter_one(rows: int, more: int, seed: int) -> None:
    step = TRADING_DAY // 130
    short, long = (_table(count, step, SOURCES, seed=seed) for count in (rows, rows + more))

    pd.testing.assert_frame_equal(long[:rows], short)


def test_the_same_seed_is_the_same_table_and_nobody_elses_randomness_is_touched() -> None:
    before = np.random.get_state()[1].tolist(), random.getstate()
    one, same, other = (_table(900, SECOND, SOURCES, seed=seed) for seed in (1, 1, 2))

    pd.testing.assert_frame_equal(one, same)
    assert (one.true_micros[1:] != other.true_micros[1:]).mean() > 0.99
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


def test_a_source_changes_nothing_of_the_others() -> None:
    changed = _with(2, noise_bp=9, bias_bp=5, lag=SECOND, outage=0.5, outage_epochs=3)
    one, other = (_table(900, SECOND, sources) for sources in (SOURCES, changed))
    alike = [name for name in one if not str(name).startswith("patchy")]

    pd.testing.assert_frame_equal(one[alike], other[alike])
    assert not one.equals(other)


def test_the_bounds_are_kept() -> None:
    table = quote_table(1_000 * 23_400, step="6.5h", volatility=20)

    assert 50_000_000 <= table.true_micros.min() < 60_000_000
    assert 400_000_000 < table.true_micros.max() <= 500_000_000


@pytest.mark.parametrize("name", MODELS)
def test_every_model_makes_a_table(name: str) -> None:
    table = quote_table("6.5h", step="1min", path_model=name)

    assert table.notna().all(axis=None)
    assert table.true_micros.nunique() > 380


# Bad input


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({"duration": 0}, "duration"),
        ({"duration": -1}, "duration"),
        ({"duration": "a year"}, "duration"),
        ({"step": 0}, "step"),
        ({"step": "7s"}, "step"),
        ({"step": "13h"}, "step"),
        ({"duration": 25_000_001, "step": "1s"}, "duration"),
        ({"duration": "1s", "step": "500us"}, "duration"),
        ({"sources": ()}, "sources"),
        ({"sources": 0}, "sources"),
        ({"sources": "market_data_1"}, "sources"),
        ({"sources": (Source("one"), Source("one"))}, "sources"),
        ({"seed": -1}, "seed"),
        ({"seed": 0.5}, "seed"),
        ({"base_price": 49}, "base_price"),
        ({"base_price": 501}, "base_price"),
        ({"base_price": "0.0000001"}, "base_price"),
        ({"base_price": math.nan}, "base_price"),
        ({"bounds": (Decimal(500), Decimal(50))}, "bounds"),
        ({"bounds": (Decimal(0), Decimal(500))}, "bounds"),
        ({"bounds": (Decimal(150), Decimal(150))}, "bounds"),
        ({"bounds": (Decimal("nan"), Decimal(150))}, "bounds"),
        ({"volatility": math.inf}, "volatility"),
        ({"trend": math.nan}, "trend"),
        ({"path_model": "no_such_model"}, "path_model"),
        ({"path_parameters": {"volatility": 1}}, r"path_parameters\.volatility"),
    ],
)
def test_what_cannot_be_is_refused(settings: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput, match=f"^{field}: "):
        quote_table(**{"duration": 10} | settings)


def test_too_many_rows_are_refused_by_name_of_what_makes_fewer() -> None:
    with pytest.raises(InvalidInput, match=r"25,000,000 rows .* a shorter duration.* step .*'1ms'"):
        quote_table("13h", step="1ms")


def test_sources_are_written_as_in_an_experiment() -> None:
    late = Source("late", lag=2 * SECOND)
    written = quote_table(60, sources=["plain", {"name": "late", "lag": "2s"}])

    pd.testing.assert_frame_equal(written, quote_table(60, sources=(Source("plain"), late)))
    pd.testing.assert_frame_equal(
        quote_table(60, sources=5), quote_table(60, sources=standard_sources(5))
    )


class _TwoDays:
    def days(self, stream: random.Random) -> Iterator[Day]:
        return iter([Day(0.0, 1.0)] * 2)


def test_a_model_whose_days_end_is_refused() -> None:
    assert len(quote_table("13h", step="6.5h", path_model=_TwoDays)) == 2
    with pytest.raises(InvalidInput, match=r"^path_model: .* never ends"):
        quote_table("19.5h", step="6.5h", path_model=_TwoDays)
