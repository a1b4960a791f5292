import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.chords import NO_CHORD, name
from data_prep.errors import UserError
from data_prep.formats.pop909 import MAX_BYTES, MAX_LINES, chord_classes, read_beats, read_chords

BEATS = b"0.0 1.0 0.0\n0.5 0.0 0.0\r\n\n1.0 1.0 1.0"
CHORDS = b"0.0\t0.5\tN\n0.5\t2\tEb:min7/b7\n2 2 C:maj\n"


def test_beats_have_a_time_and_a_mark_where_a_bar_begins() -> None:
    time, downbeat = read_beats(BEATS)
    assert time.tolist() == [0, 0.5, 1]
    assert downbeat.tolist() == [False, False, True]


def test_chords_have_a_start_an_end_and_a_label() -> None:
    start, end, label = read_chords(CHORDS)
    assert start.tolist() == [0, 0.5, 2]
    assert end.tolist() == [0.5, 2, 2]
    assert label == ["N", "Eb:min7/b7", "C:maj"]


@pytest.mark.parametrize(
    ("label", "by_third", "strict"),
    [
        ("N", "-", "-"),
        ("C:maj", "C", "C"),
        ("F#:min", "F#m", "F#m"),
        ("Gb:min", "F#m", "F#m"),
        ("Cb:maj", "B", "B"),
        ("B#:maj/5", "C", "C"),
        ("Bb:min/b3", "Bbm", "Bbm"),
        ("G:7", "G", "-"),
        ("G:7/b7", "G", "-"),
        ("A:maj7/3", "A", "-"),
        ("A:maj6", "A", "-"),
        ("D:min7", "Dm", "-"),
        ("D:min6", "Dm", "-"),
        ("D:minmaj7", "Dm", "-"),
        ("B:dim", "Bm", "-"),
        ("B:dim7", "Bm", "-"),
        ("B:hdim7", "Bm", "-"),
        ("E:aug", "E", "-"),
        ("E:sus2", "E", "-"),
        ("E:sus4", "E", "-"),
        ("E:sus4(b7)", "E", "-"),
    ],
)
def test_the_third_decides_and_strict_takes_plain_triads_alone(label: str, by_third: str, strict: str) -> None:
    for wanted, expected in ((False, by_third), (True, strict)):
        classes, remarks = chord_classes([label], strict=wanted)
        assert [name(int(chord)) for chord in classes] == [expected]
        assert not remarks


def test_unknown_chords_are_none_and_counted() -> None:
    labels = ["C:xyz", "H:maj", "C:maj", "C:xyz/3", "", "C:\x1b[2J"]
    classes, remarks = chord_classes(labels, strict=False)
    assert classes.tolist() == [NO_CHORD, NO_CHORD, 0, NO_CHORD, NO_CHORD, NO_CHORD]
    assert remarks == {
        "chord of unknown quality 'xyz'": 2,
        "chord of unknown name 'H:maj'": 1,
        "chord of unknown name ''": 1,
        "chord of unknown quality '\\\\x1b[2J'": 1,
    }


def test_no_more_than_twenty_unknown_chords_are_told_one_by_one() -> None:
    _, remarks = chord_classes([f"C:{number}x" for number in range(100)] + ["C:0x"], strict=False)
    assert len(remarks) == 21
    assert remarks["chord of unknown quality '0x'"] == 2
    assert remarks["chord of another unknown quality"] == 80
    assert remarks.total() == 101


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "no line"),
        (b" \n\n", "no line"),
        (b"0 1 1\n1 0", "5 texts in 2 lines; each line has 3"),
        (b"0 1 1 1", "4 texts in 1 lines"),
        (b"0 1 2", "b'2' in the third column"),
        (b"x 1 1", "no number: b'x'"),
        (b"\xff 1 1", "no number"),
        (b"nan 1 1", "from 0 to 10,800 s"),
        (b"inf 1 1", "from 0 to 10,800 s"),
        (b"1e400 1 1", "from 0 to 10,800 s"),
        (b"-1 1 1", "from 0 to 10,800 s"),
        (b"1 1 1\n1 0 0", "order of time"),
        (b"1 1 1\n0 0 0", "order of time"),
        (b"0 0 0\n" * (MAX_LINES + 1), "over 50,000 lines"),
        (b"\n" * MAX_BYTES, "over 50,000 lines"),
        (b"9" * MAX_BYTES, "1 texts in 1 lines"),
        (b"9" * (MAX_BYTES - 4) + b" 1 1", "no number|from 0 to"),
    ],
)
def test_beats_without_sense_are_refused_in_a_line(data: bytes, rule: str) -> None:
    with pytest.raises(UserError, match=rule) as caught:
        read_beats(data)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"0 1", "2 texts in 1 lines"),
        (b"0 x N", "no number"),
        (b"0 nan N", "from 0 to"),
        (b"1 0.5 N", "order of time"),
        (b"1 2 N\n0 1 N", "order of time"),
    ],
)
def test_chords_without_sense_are_refused_in_a_line(data: bytes, rule: str) -> None:
    with pytest.raises(UserError, match=rule):
        read_chords(data)


word = st.one_of(
    st.sampled_from([b"0.0", b"1.0", b"0", b"1", b"N", b"C:maj", b"A#:min7/b7", b"nan", b"1e999", b"-0.0"]),
    st.floats(0, 100).map(lambda number: str(number).encode()),
    st.binary(max_size=6),
)
lines = st.lists(st.lists(word, min_size=2, max_size=4).map(b" ".join), max_size=12).map(b"\n".join)


@settings(max_examples=300)
@given(st.one_of(lines, st.binary(max_size=80)))
def test_any_bytes_are_read_as_beats_or_refused(data: bytes) -> None:
    try:
        beats = read_beats(data)
    except UserError:
        return
    assert len(beats.time) == len(beats.downbeat) > 0
    assert (np.diff(beats.time) > 0).all()


@settings(max_examples=300)
@given(st.one_of(lines, st.binary(max_size=80)))
def test_any_bytes_are_read_as_chords_or_refused(data: bytes) -> None:
    try:
        chords = read_chords(data)
    except UserError:
        return
    classes, remarks = chord_classes(chords.label, strict=False)
    assert len(classes) == len(chords.start) == len(chords.end)
    assert remarks.total() <= len(classes)
    assert all(remark.isprintable() for remark in remarks)
    assert np.isfinite(chords.end).all()
