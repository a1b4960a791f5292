import inspect

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.bars import melody_line, piano_roll
from data_prep.chords import NO_CHORD
from scores import SCORES, score_bars, score_phrases
from scores.cells import Cells
from scores.notes import Bars
from scores.pitch import out_of_register_rate, pitch_in_scale_rate
from scores.rhythm import qualified_note_rate
from scores.structure import dup_rate

DEFINED_WITHOUT_NOTES = {
    "note_count",
    "empty_bar_rate",
    "rest_rate",
    "pitch_count",
    "pitch_class_count",
    "distinct_bar_ratio",
}

# Few pitches, so that runs, copies and rests all occur.
lines = st.lists(
    st.lists(st.sampled_from([-1, 0, 59, 60, 62, 64, 65, 127]), min_size=16, max_size=16), min_size=1, max_size=6
)
seeds = st.integers(0, 2**32 - 1)


def as_roll(line: object) -> np.ndarray:
    return piano_roll(np.array(line, np.int8))


def any_roll(seed: int, num: int = 4) -> np.ndarray:
    """Rolls of any density, from silent to crowded."""
    rng = np.random.default_rng(seed)
    return rng.random((num, 16, 128)) < rng.choice((0.0, 0.005, 0.1, 0.9), size=(num, 1, 1))


def scored(*bars: list[int], chord: int = 0) -> list[dict[str, float]]:
    """Scores of consecutive bars, the first after silence."""
    roll = as_roll(bars)
    previous = np.concatenate([np.zeros_like(roll[:1]), roll[:-1]])
    values = score_bars(roll, np.full(len(bars), chord), previous)
    return [{name: float(value[i]) for name, value in values.items()} for i in range(len(bars))]


FIRST = [60] * 4 + [62] * 4 + [64] * 4 + [67] * 4
SECOND = [61] * 8 + [66] * 8
EMPTY = [-1] * 16
NAN = float("nan")


WORKED = {
    "note_count": (4, 2, 0),
    "mean_duration": (4, 8, NAN),
    "mean_ioi": (4, 8, NAN),
    "qualified_note_rate": (1, 1, NAN),
    "empty_bar_rate": (0, 0, 1),
    "rest_rate": (0, 0, 1),
    "on_beat_rate": (1, 1, NAN),
    "off_eighth_rate": (0, 0, NAN),
    "groove_similarity_prev": (NAN, 0.875, 0.875),
    "out_of_register_rate": (0, 0, NAN),
    "pitch_range": (7, 5, NAN),
    "mean_pitch": (63.25, 63.5, NAN),
    "pitch_count": (4, 2, 0),
    "pitch_class_count": (4, 2, 0),
    "pitch_class_entropy": (2, 1, NAN),
    "pitch_entropy": (2, 1, NAN),
    "scale_consistency": (1, 1, NAN),
    "pitch_in_scale_rate": (1, 0, NAN),
    "polyphony": (1, 1, NAN),
    "polyphonic_rate": (0, 0, 0),
    "mean_abs_interval": (7 / 3, 5, NAN),
    "max_abs_interval": (3, 5, NAN),
    "join_interval": (NAN, 6, NAN),
    "chord_tone_rate": (0.75, 0, NAN),
    "ctnctr": (1, 0, NAN),
    "pcs": (0.5833, -0.6667, NAN),
    "mctd": (1.2962, 2.2917, NAN),
    "step_agreement_prev": (NAN, 0, 0),
    "pc_similarity_prev": (NAN, 0, NAN),
    "copy_prev_rate": (NAN, 0, 0),
}
"""Score to its values in C D E G, then C# F#, then silence, all over C major."""


def test_worked_values() -> None:
    bars = scored(FIRST, SECOND, EMPTY)
    assert set(bars[0]) == set(WORKED)
    for name, values in WORKED.items():
        assert [bar[name] for bar in bars] == pytest.approx(list(values), abs=1e-4, nan_ok=True), name


@pytest.mark.parametrize(("chord", "rate"), [(0, 0.75), (21, 0.5), (5, 0.25), (6, 0.0), (NO_CHORD, NAN)])
def test_chord_tones_follow_the_chord(chord: int, rate: float) -> None:
    assert scored(FIRST, chord=chord)[0]["chord_tone_rate"] == pytest.approx(rate, nan_ok=True)


def test_rests_end_notes_but_intervals_pass_over_them() -> None:
    (bar,) = scored([60, 60, -1, -1, 60, 60, -1, 72] + [-1] * 8)
    assert bar["note_count"] == 3
    assert bar["mean_duration"] == pytest.approx(5 / 3)
    assert bar["mean_abs_interval"] == 6


def test_agreement_counts_rests_as_equal() -> None:
    assert scored([60] * 8 + [-1] * 8, [62] * 8 + [-1] * 8)[1]["step_agreement_prev"] == 0.5


def test_more_voices_score_the_highest_line_and_count_every_note() -> None:
    roll = as_roll([FIRST])
    roll[:, :, 48] = True
    values = score_bars(roll, np.array([0]), np.zeros_like(roll))
    assert values["note_count"] == 5
    assert values["mean_duration"] == 32 / 5
    assert values["mean_abs_interval"] == pytest.approx(7 / 3)
    assert values["chord_tone_rate"] == 0.75


def test_phrase_scores() -> None:
    phrases = as_roll([[FIRST, FIRST, EMPTY, EMPTY, SECOND, SECOND, FIRST, FIRST], [EMPTY] * 8])
    values = score_phrases(phrases, np.zeros((2, 8), int))
    assert values["empty_bar_rate"].tolist() == [0.25, 1]
    assert values["copy_prev_rate"] == pytest.approx([3 / 5, NAN], nan_ok=True)
    # 4 bars of C D E G and 2 of C# F#: 16 notes in four classes, 4 in two.
    # G major lacks only C#.
    assert values["phrase_pce"] == pytest.approx([-4 * 0.2 * np.log2(0.2) - 2 * 0.1 * np.log2(0.1), NAN], nan_ok=True)
    assert values["phrase_scale_consistency"] == pytest.approx([0.9, NAN], nan_ok=True)


def test_copies_are_compared_cell_by_cell_in_every_voice() -> None:
    phrase = np.repeat(as_roll([[FIRST]]), 8, axis=1)
    assert score_phrases(phrase, np.zeros((1, 8), int))["copy_prev_rate"] == 1
    phrase[:, 3, :, 40] = True
    assert score_phrases(phrase, np.zeros((1, 8), int))["copy_prev_rate"] == pytest.approx(5 / 7)


def test_endings_that_differ_by_transposition_or_only_before_them_are_duplicates() -> None:
    line = np.full((4, 8, 16), 60, np.int8)
    line[:, 6] = 64
    line[1] += 5
    line[2, :4] = 70
    line[3, 7] = 61
    rate = dup_rate(Bars.of_phrases(piano_roll(line), np.zeros((4, 8), int)))
    assert float(rate) == 0.5


@given(seeds)
@settings(deadline=None)
def test_note_count_equals_a_naive_loop(seed: int) -> None:
    roll = any_roll(seed)
    count = [
        sum(bar[t, p] and not (t and bar[t - 1, p]) for t in range(16) for p in np.flatnonzero(bar[t])) for bar in roll
    ]
    assert score_bars(roll, np.zeros(len(roll), int), roll)["note_count"].tolist() == count


@given(seeds)
@settings(deadline=None)
def test_the_line_is_that_of_the_corpus(seed: int) -> None:
    roll = any_roll(seed)
    cells = Cells.of_roll(roll)
    np.testing.assert_array_equal(cells.line, melody_line(roll))
    assert (cells.bits is None) == (roll.sum(-1).max() <= 1)


@given(lines)
@settings(deadline=None)
def test_one_voice_scores_alike_by_line_and_by_roll(line: list[list[int]]) -> None:
    roll, silence = as_roll(line), as_roll([EMPTY])
    crowd = np.ones_like(silence)  # a bar of many voices sends the whole call down the general way
    chord = np.arange(len(line) + 1) % 25
    fast = score_bars(np.concatenate([roll, silence]), chord, np.concatenate([roll, silence]))
    general = score_bars(np.concatenate([roll, crowd]), chord, np.concatenate([roll, silence]))
    for name in fast:
        np.testing.assert_allclose(fast[name][:-1], general[name][:-1], atol=1e-12)


@given(seeds)
@settings(deadline=None)
def test_values_stay_in_their_range_and_are_undefined_only_where_they_may_be(seed: int) -> None:
    roll = any_roll(seed, num=16)
    chord = np.random.default_rng(seed).integers(0, 25, 16)
    values = score_bars(roll, chord, roll[::-1])
    values |= score_phrases(roll.reshape(2, 8, 16, 128), chord.reshape(2, 8))
    for name, value in values.items():
        defined = value[~np.isnan(value)]
        assert (defined >= SCORES[name].low - 1e-12).all(), name
        assert (defined <= SCORES[name].high + 1e-12).all(), name
        assert value.dtype == np.float64
        assert name not in DEFINED_WITHOUT_NOTES or len(defined) == len(value)


@given(lines, st.integers(0, 2))
@settings(deadline=None)
def test_pitch_scores_are_blind_to_transposition(line: list[list[int]], shift: int) -> None:
    before = np.clip(np.array(line, np.int8), -1, 120)
    after = np.where(before < 0, before, before + shift).astype(np.int8)
    chord = np.zeros(len(line), int)
    low, high = (score_bars(piano_roll(x), chord, piano_roll(x)) for x in (before, after))
    for name in ("pitch_class_entropy", "scale_consistency", "mean_abs_interval", "note_count"):
        np.testing.assert_allclose(low[name], high[name], atol=1e-12)


def test_no_bars_give_no_values() -> None:
    roll, chord = np.zeros((0, 16, 128), bool), np.zeros(0, int)
    assert all(value.shape == (0,) for value in score_bars(roll, chord, roll).values())
    phrases = score_phrases(roll.reshape(0, 8, 16, 128), chord.reshape(0, 8))
    assert all(value.shape == (0,) for value in phrases.values())


@pytest.mark.parametrize(
    ("roll", "chord", "message"),
    [
        (np.zeros((2, 16, 128)), np.zeros(2, int), "must be Boolean"),
        (np.zeros((2, 16, 12), bool), np.zeros(2, int), r"\(bars, 16, 128\)"),
        (np.zeros((2, 16, 128), bool), np.zeros(3, int), "`chord` must be integers"),
        (np.zeros((2, 16, 128), bool), np.zeros(2), "`chord` must be integers"),
        (np.zeros((2, 16, 128), bool), np.array([0, 25]), "from 0 to 24"),
        (np.zeros((2, 16, 128), bool), np.array([0, -1]), "from 0 to 24"),
    ],
)
def test_wrong_input_is_named(roll: np.ndarray, chord: np.ndarray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        score_bars(roll, chord, roll)


def test_the_order_in_memory_makes_no_difference() -> None:
    for roll in (any_roll(3), as_roll([FIRST, SECOND, EMPTY, FIRST])):
        chord = np.zeros(len(roll), int)
        expected = score_bars(roll, chord, roll)
        for same in (np.asfortranarray(roll), roll.copy().transpose(2, 1, 0).copy().T, np.repeat(roll, 2, 0)[::2]):
            found = score_bars(same, chord, same)
            assert all(np.array_equal(found[name], expected[name], equal_nan=True) for name in expected)


def test_every_bar_needs_a_bar_before() -> None:
    roll = np.zeros((2, 16, 128), bool)
    with pytest.raises(ValueError, match="bar before"):
        score_bars(roll, np.zeros(2, int), roll[:1])


@pytest.mark.parametrize("name", SCORES)
def test_every_score_is_documented(name: str) -> None:
    score = SCORES[name]
    doc = inspect.getdoc(score.function) or ""
    assert all(getattr(score, field) not in ("", None) for field in ("unit", "edge_case", "source", "target"))
    assert score.name == name
    assert name.startswith(score.function.__name__) or score.set
    assert score.level in ("bar", "phrase", "bar and phrase", "set")
    assert score.low < score.high
    for part in ("Formula:", "Unit and range:", "Edge case:", "Source:"):
        assert part in doc


def test_a_set_has_every_score_of_its_bars_and_phrases() -> None:
    roll, chord = any_roll(0, num=16), np.zeros(16, int)
    by_bar = {name for name, score in SCORES.items() if score.bar}
    by_phrase = by_bar | {name for name, score in SCORES.items() if score.phrase}
    assert set(score_bars(roll, chord, roll)) == by_bar
    assert set(score_phrases(roll.reshape(2, 8, 16, 128), chord.reshape(2, 8))) == by_phrase


def test_parameters_have_the_defaults_of_the_registry_and_can_be_others() -> None:
    bars = Bars.of_bars(as_roll([FIRST]), np.zeros(1, int), as_roll([EMPTY]))
    assert pitch_in_scale_rate(bars, root=2).tolist() == [0.75]
    assert pitch_in_scale_rate(bars, root=9, mode="minor").tolist() == [1]
    assert out_of_register_rate(bars, 62, 66).tolist() == [0.5]
    assert qualified_note_rate(bars, min_steps=5).tolist() == [0]
    with pytest.raises(ValueError, match="min_steps is 17"):
        qualified_note_rate(bars, min_steps=17)
