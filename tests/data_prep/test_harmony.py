import numpy as np
import pytest

from data_prep import chords
from data_prep.harmony import beat_chords, best_chords, first_chords, plain_triads, sounding


def chord_of(*tones: int) -> str:
    weights = np.bincount(np.array(tones) % 12, minlength=12)[None].astype(float)
    return chords.name(int(best_chords(weights, np.array([tones[0] % 12]))[0]))


@pytest.mark.parametrize(
    ("tones", "expected"),
    [
        ((60, 64, 67), "C"),
        ((64, 67, 72), "C"),  # first inversion
        ((57, 60, 64), "Am"),
        ((62, 65, 68), "Dm"),  # diminished: its third is minor
        ((60, 64, 68), "C"),  # augmented, named by its bass
        ((67, 71, 74, 77), "G"),  # dominant seventh
        ((60, 64, 67, 71), "C"),  # major seventh
        ((62, 65, 69, 72), "Dm"),  # minor seventh
        ((71, 74, 77, 81), "Bm"),  # half-diminished
        ((71, 74, 77, 80), "Bm"),  # fully diminished, named by its bass
        ((67, 72, 74), "-"),  # suspended fourth
        ((60, 64), "C"),  # no fifth
    ],
)
def test_the_third_above_the_root_decides(tones: tuple[int, ...], expected: str) -> None:
    assert chord_of(*tones) == expected


def test_a_long_note_weighs_more_than_a_passing_one() -> None:
    notes = np.array([[0, 12, 48], [0, 12, 64], [0, 9, 67], [9, 12, 69]])
    assert beat_chords(notes, np.array([0]), 12).tolist() == [0]


def test_silence_has_no_chord_and_each_beat_has_its_own() -> None:
    notes = np.array([[0, 4, 48], [0, 4, 52], [0, 4, 55], [8, 12, 57], [8, 12, 60], [8, 12, 64]])
    assert beat_chords(notes, np.array([0, 4, 8]), 4).tolist() == [0, chords.NO_CHORD, 21]
    assert beat_chords(np.empty((0, 3), np.int64), np.array([0]), 4).tolist() == [chords.NO_CHORD]


def test_transposing_the_notes_transposes_the_chord() -> None:
    for shift in range(12):
        notes = np.array([[0, 4, 45 + shift], [0, 4, 60 + shift], [0, 4, 64 + shift]])
        expected = chords.transpose(np.array([21], np.int8), shift)
        np.testing.assert_array_equal(beat_chords(notes, np.array([0]), 4), expected)


def test_the_first_chord_is_on_beat_one_or_the_next_that_begins() -> None:
    rows = np.array([[3, 4, 5, 6], [24, 24, 7, 8], [24, 24, 24, 24]], np.int8)
    assert first_chords(rows).tolist() == [3, 7, chords.NO_CHORD]


def test_what_sounds_in_a_span_is_summed_by_pitch_class_over_its_lowest_note() -> None:
    random = np.random.default_rng(4)
    start = random.integers(0, 300, 60)
    notes = np.stack([start, start + random.integers(1, 90, 60), random.integers(30, 90, 60)], axis=1)
    spans = np.array([0, 40, 50, 333, 1000])
    weights, bass = sounding(notes, spans, 48)
    for row, span in enumerate(spans.tolist()):
        expected, heard = np.zeros(12), []
        for first, last, pitch in notes.tolist():
            overlap = min(last, span + 48) - max(first, span)
            if overlap > 0:
                expected[pitch % 12] += overlap
                heard.append(pitch)
        np.testing.assert_array_equal(weights[row], expected)
        assert not heard or bass[row] == min(heard) % 12


@pytest.mark.parametrize(
    ("tones", "expected"),
    [
        ((60, 64, 67), "C"),
        ((52, 67, 72, 76), "C"),
        ((57, 60, 64), "Am"),
        ((60, 64), "-"),
        ((60, 64, 67, 70), "-"),
        ((62, 65, 68), "-"),
        ((60, 64, 68), "-"),
        ((), "-"),
    ],
)
def test_a_plain_triad_is_three_pitch_classes_and_no_more(tones: tuple[int, ...], expected: str) -> None:
    weights = np.bincount(np.array(tones, int) % 12, minlength=12)[None].astype(float)
    assert chords.name(int(plain_triads(weights)[0])) == expected
