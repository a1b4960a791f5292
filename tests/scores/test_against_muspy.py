"""The scores that muspy defines in the same way have muspy's values.

A bar or a phrase becomes a piece of one track on a grid of sixteenths, whose notes are the runs of its roll. Of muspy
0.5's other metrics, none is the same thing as a score here:

* `empty_measure_rate` and `empty_beat_rate` have `length // unit + 1` units, so that music which ends with a unit has
  one more behind it, and a note that ends where a unit begins fills that unit as well: of three bars with nothing in
  the second, none is empty if the first is held to its end. The piece also ends with its last note, so that silence
  behind that is in no bar. `empty_bar_rate` and `rest_rate` count the bars and the steps that are there.
* `groove_consistency` counts the same unit behind the last and compares it, empty, with the last bar; it defines
  pairs with a silent bar before, too. `groove_similarity_prev` does neither.
* `polyphony` of a phrase weights its bars by the steps that sound; the score is the mean over bars.
* `drum_in_pattern_rate` and `drum_pattern_consistency` look at drums, of which a melody has none.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from data_prep.bars import piano_roll
from data_prep.corpus import Split, load
from data_prep.locate import resolve
from scores import score_bars, score_phrases
from tests.scores import naive

Music = Any
"""A `muspy.Music`."""

muspy = pytest.importorskip("muspy", reason="compares with muspy where it is installed")


def music(bars: Sequence[np.ndarray]) -> Music:
    """One piece of rolls (16, 128)."""
    notes = [
        muspy.Note(time=16 * index + note.start, pitch=note.pitch, duration=note.length)
        for index, bar in enumerate(bars)
        for note in naive.notes_of(naive.bar_of(bar))
    ]
    return muspy.Music(resolution=4, tracks=[muspy.Track(notes=notes)])


def pitch_range(piece: Music) -> float:
    """Like muspy's, but not defined without notes, of which muspy says 0."""
    return float(muspy.pitch_range(piece)) if piece.tracks[0].notes else math.nan


def polyphonic_rate(piece: Music) -> float:
    """Like muspy's for two pitches or more, but of the bar's sixteen steps: muspy's piece ends with its last note."""
    end = piece.get_end_time()
    return float(muspy.polyphony_rate(piece, threshold=1)) * end / 16 if end else 0.0


Metric = Callable[[Music], float]

OF_BARS: dict[str, Metric] = {
    "pitch_count": muspy.n_pitches_used,
    "pitch_class_count": muspy.n_pitch_classes_used,
    "pitch_range": pitch_range,
    "pitch_entropy": muspy.pitch_entropy,
    "pitch_class_entropy": muspy.pitch_class_entropy,
    "scale_consistency": muspy.scale_consistency,
    "pitch_in_scale_rate": lambda piece: muspy.pitch_in_scale_rate(piece, 0, "major"),
    "polyphony": muspy.polyphony,
    "polyphonic_rate": polyphonic_rate,
}
"""Score of a bar: what muspy says of the bar as a piece."""

OF_PHRASES: dict[str, Metric] = {
    "phrase_range": pitch_range,
    "phrase_pce": muspy.pitch_class_entropy,
    "phrase_scale_consistency": muspy.scale_consistency,
}
"""Score of a phrase: what muspy says of the phrase as a piece."""


def one_voice(rng: np.random.Generator) -> np.ndarray:
    """Phrases of one voice with long notes and rests; the first is silent."""
    line = rng.choice([-1, -1, 0, 55, 60, 61, 64, 67, 79, 127], (8, 8, 16)).astype(np.int8)
    line[..., 1::2] = np.where(rng.random((8, 8, 8)) < 0.6, line[..., ::2], line[..., 1::2])
    line[0], line[1, 3:5], line[2, 7] = -1, -1, -1
    return piano_roll(line)


def voices(rng: np.random.Generator) -> np.ndarray:
    """Phrases of every density from a few notes to a crowd, with silent bars among them."""
    density = rng.choice([0.0, 0.003, 0.02, 0.1, 0.6], (8, 8, 1, 1))
    return rng.random((8, 8, 16, 128)) < density


def real(rng: np.random.Generator) -> np.ndarray:
    """Phrases of the built-in corpus."""
    corpus = load(resolve("builtin"))
    return piano_roll(corpus.melody[rng.choice(corpus.phrases(Split.TRAIN), 20, replace=False)])


KINDS = [one_voice, voices, real]
Rolls = Callable[[np.random.Generator], np.ndarray]


def assert_equal(actual: np.ndarray, metric: Metric, pieces: list[Music]) -> None:
    np.testing.assert_allclose(actual, [metric(piece) for piece in pieces], rtol=0, atol=1e-6)


@pytest.fixture(scope="module", params=KINDS)
def roll(request: pytest.FixtureRequest) -> np.ndarray:
    kind: Rolls = request.param
    return kind(np.random.default_rng(7))


@pytest.mark.parametrize("name", OF_BARS)
def test_scores_of_bars_are_those_of_muspy(roll: np.ndarray, name: str) -> None:
    bars = roll.reshape(-1, 16, 128)
    values = score_bars(bars, np.zeros(len(bars), int), np.zeros_like(bars))
    assert_equal(values[name], OF_BARS[name], [music([bar]) for bar in bars])


@pytest.mark.parametrize("name", OF_PHRASES)
def test_scores_of_phrases_are_those_of_muspy(roll: np.ndarray, name: str) -> None:
    values = score_phrases(roll, np.zeros(roll.shape[:2], int))
    assert_equal(values[name], OF_PHRASES[name], [music(phrase) for phrase in roll])
