"""Every score against a second reading of its formula in plain loops, and against what the formulas imply."""

from collections.abc import Callable, Iterator, Mapping
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cdist

from data_prep.bars import piano_roll
from data_prep.corpus import Split, load
from data_prep.locate import resolve
from scores import FEATURES, SCORES, energy_distance, phrase_features, score_bars, score_phrases
from scores.features import FAMILIES
from tests.scores import naive

pytestmark = pytest.mark.filterwarnings("error")

Values = Mapping[str, np.ndarray]
BarScores = Callable[[np.ndarray, np.ndarray, np.ndarray], Values]

# --- rolls to score ---------------------------------------------------------------------------------------------------

SILENT = np.zeros((16, 128), bool)
COMMON = settings(deadline=None, max_examples=60)

chords = st.integers(0, 24)
seeds = st.integers(0, 2**32 - 1)


def one_voice(pitches: list[int]) -> st.SearchStrategy[np.ndarray]:
    """Bars of one voice: few pitches, so that long notes, rests and copies occur."""
    steps = st.lists(st.sampled_from([-1, *pitches]), min_size=16, max_size=16)
    return steps.map(lambda line: piano_roll(np.array(line, np.int8)))


def as_roll(notes: list[tuple[int, int, int]]) -> np.ndarray:
    roll: np.ndarray = SILENT.copy()
    for start, pitch, length in notes:
        roll[start : start + length, pitch] = True
    return roll


def voices(low: int, high: int) -> st.SearchStrategy[np.ndarray]:
    """Bars of some notes that may sound together."""
    note = st.tuples(st.integers(0, 15), st.integers(low, high), st.integers(1, 16))
    return st.lists(note, max_size=12).map(as_roll)


def crowd(low: int, high: int) -> st.SearchStrategy[np.ndarray]:
    """Bars with any share of their cells on."""

    def build(seed: int, density: float) -> np.ndarray:
        roll: np.ndarray = np.random.default_rng(seed).random((16, 128)) < density
        roll[:, :low] = roll[:, high + 1 :] = False
        return roll

    return st.builds(build, seeds, st.sampled_from((0.01, 0.1, 0.5, 0.9, 1.0)))


def bars(low: int = 0, high: int = 127) -> st.SearchStrategy[np.ndarray]:
    """Bars of every kind, between two pitches."""
    line = one_voice([low, 59, 60, 62, 64, 65, high])
    return st.one_of(line, line, voices(low, high), crowd(low, high), st.just(SILENT))


def doubled(roll: np.ndarray) -> np.ndarray:
    """The bar with a second voice an octave below the first: the same melody line in other cells."""
    return roll | (np.roll(roll, -12, axis=-1) & (np.arange(128) < 116))


def some_bars(bar: st.SearchStrategy[np.ndarray], polyphonic: bool) -> st.SearchStrategy[list[np.ndarray]]:
    """Silence and some bars, with more than one voice the first of them doubled as well."""
    lists = st.lists(bar, min_size=1, max_size=4)
    return lists.map(lambda pool: [SILENT, *pool, *([doubled(pool[0])] if polyphonic else [])])


@st.composite
def phrases(
    draw: st.DrawFn, low: int = 0, high: int = 127, longest: int = 9, polyphonic: bool | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Rolls (M, B, 16, 128) and chords (M, B): a few bars again and again in any order."""
    polyphonic = draw(st.booleans()) if polyphonic is None else polyphonic
    line = one_voice([low, 59, 60, 62, 64, 65, high])
    pool = draw(some_bars(bars(low, high) if polyphonic else line, polyphonic))
    shape = draw(st.integers(1, 3)), draw(st.integers(1, longest))
    cell = st.tuples(st.integers(0, len(pool) - 1), chords)
    which, chord = np.array(draw(st.lists(cell, min_size=shape[0] * shape[1], max_size=shape[0] * shape[1]))).T
    return np.array(pool)[which.reshape(shape)], chord.reshape(shape)


@st.composite
def bars_in_context(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rolls (N, 16, 128), chords (N,) and bars before (N, 16, 128): either of one voice or of more, many much alike."""
    line = one_voice([0, 59, 60, 62, 127])
    here, before = (draw(st.booleans()) for _ in range(2))
    pool = draw(some_bars(bars() if here else line, here))
    rows = []
    for roll in draw(st.lists(st.sampled_from(pool), min_size=1, max_size=8)):
        moved = np.roll(roll, 1, axis=-1)  # the same rhythm in another line
        alike = [roll, moved, SILENT, *pool, *([doubled(roll), draw(bars())] if before else [])]
        rows.append((roll, draw(chords), draw(st.sampled_from(alike))))
    rolls, chord, previous = zip(*rows, strict=True)
    return np.array(rolls), np.array(chord), np.array(previous)


# --- the plain reading ------------------------------------------------------------------------------------------------


def naive_bars(roll: np.ndarray, chord: np.ndarray, previous: np.ndarray) -> Values:
    rows = [
        naive.bar_scores(naive.bar_of(now), int(over), naive.bar_of(before))
        for now, over, before in zip(roll, chord, previous, strict=True)
    ]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def each_phrase(roll: np.ndarray, chord: np.ndarray) -> Iterator[tuple[list[naive.Bar], list[int]]]:
    for phrase, over in zip(roll, chord, strict=True):
        yield [naive.bar_of(bar) for bar in phrase], over.tolist()


def naive_phrases(roll: np.ndarray, chord: np.ndarray) -> Values:
    rows = [naive.phrase_scores(phrase, over) for phrase, over in each_phrase(roll, chord)]
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def naive_features(roll: np.ndarray, chord: np.ndarray) -> Values:
    rows = [naive.features(phrase, over) for phrase, over in each_phrase(roll, chord)]
    return dict(zip(naive.COLUMNS, np.array(rows).T, strict=True))


def features(roll: np.ndarray, chord: np.ndarray) -> Values:
    return dict(zip(FEATURES, phrase_features(roll, chord).T, strict=True))


def assert_equal(actual: Values, expected: Values, tolerance: float = 1e-9) -> None:
    assert set(actual) == set(expected)
    for name, values in expected.items():
        np.testing.assert_allclose(actual[name], values, rtol=0, atol=tolerance, err_msg=name)


def real_phrases(num: int) -> tuple[np.ndarray, np.ndarray]:
    """Phrases of eight bars of the built-in corpus, spread over all of it."""
    corpus = load(resolve("builtin"))
    rows = corpus.phrases(Split.TRAIN)
    rows = rows[:: len(rows) // num][:num]
    return piano_roll(corpus.melody[rows]), corpus.first_chord[rows]


# --- code and formula are equal ---------------------------------------------------------------------------------------


@given(bars_in_context())
@COMMON
def test_every_score_of_a_bar_equals_its_plain_reading(music: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    assert_equal(score_bars(*music), naive_bars(*music))


@given(phrases())
@COMMON
def test_every_score_of_a_phrase_equals_its_plain_reading(music: tuple[np.ndarray, np.ndarray]) -> None:
    assert_equal(score_phrases(*music), naive_phrases(*music))


@given(phrases())
@COMMON
def test_every_feature_equals_its_plain_reading(music: tuple[np.ndarray, np.ndarray]) -> None:
    assert_equal(features(*music), naive_features(*music))


def test_real_music_scores_as_by_the_plain_reading() -> None:
    roll, chord = real_phrases(40)
    assert_equal(score_phrases(roll, chord), naive_phrases(roll, chord))
    assert_equal(features(roll, chord), naive_features(roll, chord))
    flat, before = roll.reshape(-1, 16, 128), np.roll(roll, 1, axis=1).reshape(-1, 16, 128)
    assert_equal(score_bars(flat, chord.ravel(), before), naive_bars(flat, chord.ravel(), before))


def test_the_plain_reading_leaves_no_score_and_no_feature_out() -> None:
    silence = [naive.bar_of(SILENT)] * 2
    per_bar = {name for name, score in SCORES.items() if score.bar}
    assert set(naive.bar_scores(silence[0], 0, silence[0])) == per_bar
    assert set(naive.phrase_scores(silence, [0, 0])) == per_bar | {n for n, score in SCORES.items() if score.phrase}
    assert list(FEATURES) == naive.COLUMNS
    assert {name: feature.family for name, feature in FEATURES.items()} == {
        name: family for family, members in naive.FAMILIES.items() for name in members
    }


# --- energy distance --------------------------------------------------------------------------------------------------


def random_features(seed: int, num_real: int, num_generated: int) -> tuple[np.ndarray, np.ndarray]:
    """Two sets of feature vectors with every trouble: columns of any size, constant, undefined; outliers; copies."""
    rng = np.random.default_rng(seed)
    # In eighths: the code takes vectors that differ by less than a millionth of their length for equal.
    rows = np.round(8 * rng.normal(size=(num_real + num_generated, 43))) / 8
    rows[rng.random(rows.shape) < 0.05] *= 100
    rows = rows * 10.0 ** rng.integers(-3, 3, 43) + rng.normal(size=43)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    rows[:, rng.integers(43, size=3)] = 0.25
    rows[:, rng.integers(43, size=3)] = np.nan
    rows[rng.integers(len(rows), size=2)] = rows[0]
    return rows[:num_real], rows[num_real:]


@given(seeds, st.integers(2, 7), st.integers(2, 7))
@COMMON
def test_energy_distances_equal_double_loops_and_scipy(seed: int, num_real: int, num_generated: int) -> None:
    reference, generated = random_features(seed, num_real, num_generated)
    for family in (None, *FAMILIES):
        value = energy_distance(reference, generated, family)
        assert value == pytest.approx(naive.energy_distance(reference.tolist(), generated.tolist(), family), abs=1e-9)
        by_scipy = naive.energy_distance(reference.tolist(), generated.tolist(), family, cdist)
        assert value == pytest.approx(by_scipy, abs=1e-9)


def test_energy_distances_of_real_music_equal_scipy_and_tell_noise_from_music() -> None:
    roll, chord = real_phrases(60)
    rng = np.random.default_rng(0)
    noise = piano_roll(rng.integers(60, 84, (30, 8, 16)).astype(np.int8))
    rows = phrase_features(roll, chord)
    real, held_out, random = rows[::2], rows[1::2], phrase_features(noise, chord[:30])
    for family in (None, *FAMILIES):
        for generated in (held_out, random):
            expected = naive.energy_distance(real.tolist(), generated.tolist(), family, cdist)
            assert energy_distance(real, generated, family) == pytest.approx(expected, abs=1e-9)
        assert energy_distance(real, random, family) > energy_distance(real, held_out, family) + 0.1


@given(seeds)
@settings(deadline=None, max_examples=20)
def test_energy_distances_do_not_depend_on_the_order_of_phrases(seed: int) -> None:
    reference, generated = random_features(seed, 6, 5)
    rng = np.random.default_rng(seed)
    for family in (None, *FAMILIES):
        value = energy_distance(rng.permutation(reference), rng.permutation(generated), family)
        assert value == pytest.approx(energy_distance(reference, generated, family), abs=1e-9)


# --- worked by hand ---------------------------------------------------------------------------------------------------

FIRST = as_roll([(0, 60, 4), (4, 62, 4), (8, 64, 4), (12, 67, 4)])
SECOND = as_roll([(0, 61, 8), (8, 66, 8)])

WORKED = {
    "C4 D4 E4 G4 after silence": (
        FIRST,
        SILENT,
        """note_count=4.0 pitch_class_entropy=2.0 pitch_range=7.0 scale_consistency=1.0 mean_abs_interval=2.3333
        chord_tone_rate=0.75 ctnctr=1.0 pcs=0.5833 mctd=1.2962
        join_interval=nan groove_similarity_prev=nan step_agreement_prev=nan copy_prev_rate=nan""",
    ),
    "C#4 F#4 after C4 D4 E4 G4": (
        SECOND,
        FIRST,
        """pitch_class_entropy=1.0 ctnctr=0.0 chord_tone_rate=0.0 pcs=-0.6667 mctd=2.2917
        groove_similarity_prev=0.875 step_agreement_prev=0.0""",
    ),
    "silence after C4 D4 E4 G4": (
        SILENT,
        FIRST,
        """groove_similarity_prev=0.75 step_agreement_prev=0.0 copy_prev_rate=0.0 pitch_range=nan mean_pitch=nan
        pitch_class_entropy=nan pitch_entropy=nan scale_consistency=nan pitch_in_scale_rate=nan mean_abs_interval=nan
        max_abs_interval=nan join_interval=nan pc_similarity_prev=nan chord_tone_rate=nan ctnctr=nan pcs=nan
        mctd=nan""",
    ),
}
"""A bar over C major, the bar before it, and scores to as many digits as are given."""

PCS = "0.667 -0.333 -0.333 0.333 1.000 -0.667 -1.000 1.000 0.333 0.000 -0.333 0.333"
MCTD = "1.0293 2.2281 1.9086 1.8835 1.1777 1.9715 2.3553 1.0691 1.8612 1.7492 2.1726 1.7945"
"""Of the pitch classes C to B over C major."""


def test_a_copy_has_the_line_and_the_voices_of_the_bar_before() -> None:
    """Either way round, so that bars of one voice follow bars of more, which the code keeps in another form."""
    same = np.repeat(FIRST[None], 4, axis=0)
    others = np.array([FIRST, doubled(FIRST), np.roll(FIRST, 1, axis=-1), SILENT])
    for score in (score_bars, naive_bars):
        for bar, before, expected in ((same, others, [1, 0, 0, np.nan]), (others, same, [1, 0, 0, 0])):
            np.testing.assert_array_equal(score(bar, np.zeros(4, int), before)["copy_prev_rate"], expected)


def to_digits(value: float, like: str) -> str:
    return f"{value:.{len(like.partition('.')[2])}f}"


@pytest.mark.parametrize("name", WORKED)
@pytest.mark.parametrize("score", [score_bars, naive_bars])
def test_values_worked_by_hand(name: str, score: BarScores) -> None:
    bar, before, values = WORKED[name]
    expected = dict(pair.split("=") for pair in values.split())
    found = score(bar[None], np.array([0]), before[None])
    assert {name: to_digits(found[name][0], digits) for name, digits in expected.items()} == expected


@pytest.mark.parametrize("score", [score_bars, naive_bars])
def test_every_pitch_class_over_c_major(score: BarScores) -> None:
    roll = np.array([as_roll([(0, 60 + pitch_class, 16)]) for pitch_class in range(12)])
    values = score(roll, np.zeros(12, int), np.zeros_like(roll))
    assert [f"{value:.3f}" for value in values["pcs"]] == PCS.split()
    assert [f"{value:.4f}" for value in values["mctd"]] == MCTD.split()


# --- what formulas imply ----------------------------------------------------------------------------------------------


@given(phrases(polyphonic=False))
@COMMON
def test_one_voice_scores_alike_alone_and_beside_bars_of_more(music: tuple[np.ndarray, np.ndarray]) -> None:
    roll, chord = music
    many = np.concatenate([roll, np.ones_like(roll[:1])])
    chords_of_many = np.concatenate([chord, chord[:1]])
    for score in (score_phrases, features):
        beside = {name: values[:-1] for name, values in score(many, chords_of_many).items()}
        assert_equal(score(roll, chord), beside, 1e-6)


BOUNDS = {
    (0, np.log2(12)): "pitch_class_entropy pitch_class_entropy_4 phrase_pce",
    (0, 7): "pitch_entropy",
    (0, 1): """qualified_note_rate empty_bar_rate rest_rate inner_empty_rate out_of_register_rate scale_consistency
        phrase_scale_consistency pitch_in_scale_rate on_beat_rate off_eighth_rate polyphonic_rate groove_similarity_prev
        groove_similarity step_agreement_prev step_agreement_lag1 step_agreement_lag2 step_agreement_lag4 copy_prev_rate
        copy_first_rate distinct_bar_ratio chord_tone_rate ctnctr pc_similarity_prev""",
    (0, 127): "pitch_range phrase_range mean_pitch mean_abs_interval max_abs_interval join_interval",
    (0, 128): "pitch_count",
    (0, 12): "pitch_class_count",
    (1, 128): "polyphony",
    (0, 1024): "note_count",
    (1, 16): "mean_duration",
    (1, 16 * 9 - 1): "mean_ioi",
    (-1, 1): "pcs",
    (1.0292, 2.3554): "mctd",
}
"""The least and the most that scores can be."""


@given(phrases())
@COMMON
def test_entropies_shares_and_the_rest_keep_to_their_range(music: tuple[np.ndarray, np.ndarray]) -> None:
    found = score_phrases(*music)
    assert set(found) == {name for names in BOUNDS.values() for name in names.split()}
    for (low, high), names in BOUNDS.items():
        for name in names.split():
            assert not ((found[name] < low - 1e-9) | (found[name] > high + 1e-9)).any(), name


def transposed(chord: np.ndarray, shift: int) -> np.ndarray:
    return np.where(chord == naive.NO_CHORD, chord, chord // 12 * 12 + (chord + shift) % 12)


ABSOLUTE = {"out_of_register_rate", "pitch_in_scale_rate"}
"""Scores that compare pitches with pitches that stay where they are."""


@given(phrases(low=36, high=96), st.integers(-12, 12))
@COMMON
def test_transposition_with_the_chords_moves_the_mean_pitch_alone(
    music: tuple[np.ndarray, np.ndarray], shift: int
) -> None:
    """All other scores look at differences of pitches; two measure from fixed pitches and are left out."""
    roll, chord = music
    moved = np.roll(roll, shift, axis=-1), transposed(chord, shift)  # nothing is within an octave of an end
    before, after = score_phrases(*music), score_phrases(*moved)
    for values in (before, after):
        for name in ABSOLUTE if shift % 12 else ABSOLUTE - {"pitch_in_scale_rate"}:
            del values[name]
    before["mean_pitch"] += shift
    assert_equal(after, before)
    column = dict(features(*music))
    column["mean_mean_pitch"] = column["mean_mean_pitch"] + shift
    assert_equal(features(*moved), column)


HARMONY = {"chord_tone_rate", "ctnctr", "pcs", "mctd"}


@given(phrases(), st.integers(1, 24))
@settings(deadline=None, max_examples=30)
def test_chords_matter_to_harmony_alone(music: tuple[np.ndarray, np.ndarray], shift: int) -> None:
    roll, chord = music
    before, after = score_phrases(roll, chord), score_phrases(roll, (chord + shift) % 25)
    for name in before.keys() - HARMONY:
        np.testing.assert_array_equal(before[name], after[name], err_msg=name)


OCTAVE_FREE = """pitch_class_count pitch_class_entropy pitch_class_entropy_4 phrase_pce scale_consistency
    phrase_scale_consistency pitch_in_scale_rate pc_similarity_prev chord_tone_rate pcs mctd"""
"""Scores of pitch classes: the octave of a bar does not matter."""


@given(phrases(low=48, high=84), st.data())  # a doubled bar reaches an octave lower
@COMMON
def test_scores_of_pitch_classes_are_blind_to_the_octave_of_every_bar(
    music: tuple[np.ndarray, np.ndarray], data: st.DataObject
) -> None:
    roll, chord = music
    octaves = data.draw(st.lists(st.integers(-3, 3), min_size=chord.size, max_size=chord.size))
    flat = roll.reshape(-1, 16, 128)
    moved = np.array([np.roll(bar, 12 * octave, axis=-1) for bar, octave in zip(flat, octaves, strict=True)])
    before, after = score_phrases(roll, chord), score_phrases(moved.reshape(roll.shape), chord)
    for name in OCTAVE_FREE.split():
        np.testing.assert_allclose(after[name], before[name], rtol=0, atol=1e-9, err_msg=name)


@given(phrases(), st.randoms(use_true_random=False))
@COMMON
def test_phrases_score_the_same_in_any_order(music: tuple[np.ndarray, np.ndarray], random: Random) -> None:
    roll, chord = music
    order = list(range(len(roll)))
    random.shuffle(order)
    for score in (score_phrases, features):
        before, after = score(roll, chord), score(roll[order], chord[order])
        assert_equal(after, {name: values[order] for name, values in before.items()}, 1e-12)
