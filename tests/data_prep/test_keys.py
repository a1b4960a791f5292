"""Keys of scales and chords, and correlations reckoned one by one."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD, PITCH_CLASS_NAMES, name, transpose
from data_prep.keys import estimate_key

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 11)
"""Semitones of the scales; the seventh of the minor one is raised, as melodies have it."""

# Krumhansl and Kessler (1982), table of the ratings of the probe tones, from the tonic up.
RATINGS = {
    "major": (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
    "minor": (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
}


def no_melody(num_bars: int) -> NDArray[np.int8]:
    return np.full((num_bars, 16), -1, np.int8)


def no_chords(num_bars: int) -> NDArray[np.int8]:
    return np.full((num_bars, 4), NO_CHORD, np.int8)


def scale(tonic: int, degrees: tuple[int, ...]) -> NDArray[np.int8]:
    """A bar up the scale and to the octave, each degree for two steps."""
    return np.repeat([[tonic + degree for degree in (*degrees, 12)]], 2, axis=1).astype(np.int8)


@pytest.mark.parametrize("tonic", range(12))
@pytest.mark.parametrize(("degrees", "mode"), [(MAJOR, 0), (MINOR, 12)], ids=["major", "minor"])
def test_a_scale_over_the_triad_of_its_tonic_is_in_that_key(tonic: int, degrees: tuple[int, ...], mode: int) -> None:
    triad = np.full((1, 4), tonic + mode, np.int8)
    for octave in (0, 60, 96):
        assert estimate_key(scale(tonic + octave, degrees), triad) == tonic + mode
    assert name(estimate_key(scale(tonic + 60, degrees), triad)) == PITCH_CLASS_NAMES[tonic] + "m" * (mode > 0)


@pytest.mark.parametrize("chord", range(24))
def test_chords_alone_have_a_key(chord: int) -> None:
    tonic = np.full(4, chord, np.int8)
    cadence = transpose(tonic, np.array([0, 5, 7, 0]))[None]
    assert estimate_key(no_melody(1), cadence) == chord


@pytest.mark.parametrize("tonic", range(12))
def test_a_melody_alone_has_a_key(tonic: int) -> None:
    tune = np.array([[0, 0, 0, 0, 4, 4, 7, 7, 5, 4, 2, 2, 0, 0, 0, 0]], np.int8) + np.int8(60 + tonic)
    assert estimate_key(tune, no_chords(1)) == tonic


def test_where_nothing_sounds_there_is_no_key() -> None:
    for num_bars in (0, 1, 3):
        key = estimate_key(no_melody(num_bars), no_chords(num_bars))
        assert key == NO_CHORD
        assert type(key) is int


def test_rests_do_not_count() -> None:
    tune = scale(67, MAJOR)
    with_rests = np.concatenate([tune, no_melody(50)])
    assert estimate_key(with_rests, no_chords(51)) == estimate_key(tune, no_chords(1)) == 7


def test_a_tone_of_a_chord_counts_as_a_sixteenth_of_melody() -> None:
    arpeggio = np.full((1, 16), -1, np.int8)
    arpeggio[0, :12] = [60, 64, 67] * 4
    for line, chord in ((arpeggio, no_chords(1)), (no_melody(1), np.zeros((1, 4), np.int8))):
        both = [np.concatenate([part, other]) for part, other in ((line, scale(65, MAJOR)), (chord, no_chords(1)))]
        assert estimate_key(*both) == naive_key(*both)


def naive_key(melody: NDArray[np.int8], chord: NDArray[np.int8]) -> int:
    """The key whose ratings go best with how long the twelve pitch classes sound; the margin must be told apart."""
    heard = [0.0] * 12
    for pitch in melody.ravel().tolist():
        if pitch >= 0:
            heard[pitch % 12] += 1
    for triad in chord.ravel().tolist():
        if triad != NO_CHORD:
            for tone in (0, 3 if triad >= 12 else 4, 7):
                heard[(triad + tone) % 12] += 1
    if max(heard) == min(heard):
        return NO_CHORD if max(heard) == 0 else 0
    likeness = [
        correlation(heard, [RATINGS[mode][(tone - tonic) % 12] for tone in range(12)])
        for mode in ("major", "minor")
        for tonic in range(12)
    ]
    best, second = sorted(likeness, reverse=True)[:2]
    assume(best - second > 1e-9)
    return likeness.index(best)


def correlation(one: list[float], other: list[float]) -> float:
    mean, other_mean = sum(one) / len(one), sum(other) / len(other)
    together = sum((a - mean) * (b - other_mean) for a, b in zip(one, other, strict=True))
    return together / math.sqrt(sum((a - mean) ** 2 for a in one) * sum((b - other_mean) ** 2 for b in other))


songs = st.integers(1, 3).flatmap(
    lambda num_bars: st.tuples(
        st.lists(st.integers(-1, 115), min_size=16 * num_bars, max_size=16 * num_bars),
        st.lists(st.integers(0, 24), min_size=4 * num_bars, max_size=4 * num_bars),
    )
)


@settings(max_examples=150, deadline=None)
@given(songs, st.integers(0, 11))
def test_the_key_is_the_best_correlation_and_moves_with_the_music(song: tuple[list[int], list[int]], up: int) -> None:
    melody, chord = np.array(song[0], np.int8).reshape(-1, 16), np.array(song[1], np.int8).reshape(-1, 4)
    key = naive_key(melody, chord)
    assert estimate_key(melody, chord) == key
    moved = np.where(melody < 0, -1, melody + up).astype(np.int8)
    if key != NO_CHORD:
        assert estimate_key(moved, transpose(chord, up)) == transpose(np.array([key], np.int8), up)[0]
