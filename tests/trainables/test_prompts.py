"""Chords by name, and first bars that fit them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_prep.chords import NO_CHORD, name
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from trainables.prompts import chord_class, chords, first_bars


@pytest.mark.parametrize("chord", range(25))
def test_every_chord_is_read_by_the_name_it_is_told_by(chord: int) -> None:
    assert chord_class(name(chord)) == chord


@pytest.mark.parametrize(
    ("text", "chord"), [("A#", 10), ("Bb", 10), ("Cb", 11), ("E#m", 17), ("Fmin", 17), ("F♯m", 18), ("N", NO_CHORD)]
)
def test_other_spellings_of_a_chord(text: str, chord: int) -> None:
    assert chord_class(text) == chord


@pytest.mark.parametrize("text", ["", "H", "c", "C7", "Amaj", "C/G", "C##", "\x1b[2J", "C" * 10_000])
def test_other_names_are_refused_in_one_short_line(text: str) -> None:
    with pytest.raises(UserError, match="There is no chord") as error:
        chord_class(text)
    assert str(error.value).isprintable()
    assert len(str(error.value)) < 200


def test_bars_are_parted_by_spaces_and_their_chords_by_commas() -> None:
    assert chords("C  Am,N\tF,F,G,Dm").tolist() == [[0] * 4, [21, 21, 24, 24], [5, 5, 7, 14]]


def test_a_progression_is_repeated_until_it_is_long_enough() -> None:
    assert chords("C Am F", 8)[:, 0].tolist() == [0, 21, 5, 0, 21, 5, 0, 21]
    assert chords("C Am F", 2)[:, 0].tolist() == [0, 21]


@pytest.mark.parametrize("text", ["", "   ", "C,,G", "C,G,Am", "C,D,E,F,G", "C, G", "C Q"])
def test_what_is_no_progression_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        chords(text)


@given(chord=st.integers(0, 23), count=st.integers(1, 40))
def test_first_bars_are_prompts_moved_into_the_key(corpus: Corpus, chord: int, count: int) -> None:
    rows = corpus.rows(Split.PROMPTS)
    bars = first_bars(corpus, np.full((8, 4), chord, np.int8), count)
    assert bars.shape == (count, 16)
    same_mode = rows[corpus.first_chord[rows] // 12 == chord // 12]
    real = {}
    for row in same_mode:
        shift = (chord - int(corpus.first_chord[row]) + 5) % 12 - 5
        real[tuple((corpus.melody[row] + shift).tolist())] = row
    found = {real[tuple(bar)] for bar in bars.tolist()}
    assert len(found) == min(count, len(real))


def test_first_bars_have_notes_where_any_bar_has(corpus: Corpus) -> None:
    melody = corpus.melody.copy()
    rows = corpus.rows(Split.PROMPTS)
    melody[rows[1:]] = -1
    bars = first_bars(replace(corpus, melody=melody), np.full((8, 4), NO_CHORD, np.int8), 3)
    assert (bars == corpus.melody[rows[0]]).all()


def test_without_songs_for_prompts_it_is_said_so(corpus: Corpus) -> None:
    with pytest.raises(UserError, match="keeps no songs for prompts"):
        first_bars(replace(corpus, split=np.zeros_like(corpus.split)), np.zeros((8, 4), np.int8), 1)
