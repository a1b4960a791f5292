"""Files of tunes in ABC, written by hand or damaged on purpose."""

import re
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import UserError
from data_prep.formats import abc, abc_body
from data_prep.formats.abc import MAX_BYTES, MAX_TUNES, BadTune, Tune, read_tunes
from data_prep.formats.musicxml import Score
from data_prep.grid import MAX_BARS

PIECES = "[;[A:;[C;[1;[V:2];[M:9/8];{;\";!;(;(3;:;::;|;%;/;1;^;_;C-;-;[CE]-;> ;C>;C > > ;C,';Z99;V:1\n;K:C\n;\n%"


def file(*tunes: str) -> bytes:
    return "\n\n".join(tunes).encode()


def tune(number: int = 1, body: str = "CDEF|", head: str = "M:4/4\nL:1/8\nK:C") -> str:
    return f"X:{number}\nT:Tune {number}\n{head}\n{body}"


def read(data: bytes) -> list[Tune | BadTune]:
    return list(read_tunes(data))


def refusal(data: bytes) -> str:
    """Why the file as a whole cannot be read; empty if it can."""
    try:
        list(read_tunes(data))
    except UserError as error:
        return str(error)
    return ""


def reason(body: str, head: str = "M:4/4\nL:1/8\nK:C") -> str:
    [bad] = read(file(tune(1, body, head)))
    assert isinstance(bad, BadTune)
    return bad.reason


def scores(data: bytes) -> dict[int, Score]:
    return {read.number: read.score for read in read_tunes(data) if isinstance(read, Tune)}


def test_a_file_holds_many_tunes_with_text_between_them() -> None:
    data = b"% a book\nM:3/4\nFree text: CDE|\n\n" + file(tune(3), tune(7, "GAB|"), "", "CDE|", tune(12)) + b"\n\nCDE"
    read = scores(data)
    assert {number: len(score.parts[0].notes) for number, score in read.items()} == {3: 4, 7: 3, 12: 4}
    assert [score.parts[0].name for score in read.values()] == ["Tune 3", "Tune 7", "Tune 12"]
    assert read[3].measures[0][2:] == (4, 4)


def test_a_tune_ends_where_the_next_begins_even_without_an_empty_line() -> None:
    assert list(scores(f"{tune(1)}\n{tune(2)}".encode())) == [1, 2]


def test_a_comment_does_not_end_a_tune_but_a_line_of_spaces_does() -> None:
    [score] = scores(file(tune(1, "C|\n%\n % D\n%%text\nE|\n \t\nF|"))).values()
    assert [note.pitch for note in score.parts[0].notes] == [60, 64]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("coding", ["utf-8", "utf-8-sig", "latin-1"])
def test_line_ends_and_codings(end: str, coding: str) -> None:
    data = "X: 0042 % forty-two\nT:Café\nT:Other\nT:\nM:C|\nK:D\nF8|\nG8|\n\nX:\nK:C\nC|".replace("\n", end)
    read = scores(data.encode(coding))
    assert [(number, score.parts[0].name) for number, score in read.items()] == [(42, "Café"), (0, "")]
    assert [note.pitch for note in read[42].parts[0].notes] == [66, 67]
    assert read[42].measures[0][2:] == (2, 2)


def test_one_bad_tune_leaves_the_others_whole() -> None:
    tunes = read(file(tune(1), tune(2, head="K:Q"), tune(3, head="M:4/4"), tune(4)))
    assert [type(item) for item in tunes] == [Tune, BadTune, BadTune, Tune]
    assert [item.number for item in tunes] == [1, 2, 3, 4]
    assert [item.reason for item in tunes if isinstance(item, BadTune)] == [
        "its key is 'Q'; a key begins with a capital letter from A to G.",
        "no key (a line that begins with K:), which every tune has.",
    ]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "no note in it"),
        ("z8|", "no note in it"),
        ("c" + "'" * 5, "MIDI number 132"),
        ("C" + "," * 100_000, "MIDI number -1199940"),
        ("C10000", "a note of length '10000'"),
        ("C" + "9" * 100_000, "a note of length '99999999999999999999'"),
        ("C/0", "a note of length '/0'"),
        ("C0", "a note of length '0'"),
        ("C" + "/" * 100_000, "a note of length"),
        ("C1/2/3", "a note of length '1/2/3'"),
        ("C" + ">" * 100_000 + "D", "a rhythm broken by 100000 marks"),
        ("(0CD", "'0' notes in a tuplet"),
        ("(100CD", "'100' notes in a tuplet"),
        (f"({'9' * 100_000}CD", "notes in a tuplet; there can be 1 to 99"),
        ("(3:0CD", "'0' notes that a tuplet takes the time of"),
        (f"(3:2:{'9' * 100_000}CD", "notes in a tuplet"),
        ("Z0C", "'0' bars of rest"),
        (f"Z{'9' * 100_000}", "bars of rest; there can be 1 to 10000"),
        (f"Z{MAX_BARS}|C|", "over 10000 bars"),
        ("M:none\nZ", "a whole bar of rest without a metre"),
        ("[" + "C" * 1001 + "]", "a chord of 1001 characters"),
        ("[K:X]C", "its key is 'X'"),
        ("M:1\nC", "its metre is '1'"),
        ("L:2/\nC", "its unit note length is '2/'"),
        ("C/97 C/89 C/83 C/79", "its notes share no unit of time"),
        ("C9999 " * 400 + "C/997C/991", "its notes share no unit of time|ticks"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_short_line(body: str, told: str) -> None:
    line = reason(body)
    assert re.search(told, line)
    assert len(line) < 150


def test_bars_and_notes_are_limited_before_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "over 10000 bars" in reason("C|" * (MAX_BARS + 1))
    assert len(scores(file(tune(1, "C|" * MAX_BARS)))[1].measures) == MAX_BARS
    monkeypatch.setattr(abc_body, "MAX_NOTES", 100)
    assert "over 100 notes" in reason("C" * 101)
    assert "over 100 notes" in reason("[CEG]" * 34)
    assert "over 100 notes" in reason("z" * 101)
    assert len(scores(file(tune(1, "C" * 100)))[1].parts[0].notes) == 100


def test_a_measure_of_absurd_length_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abc, "_MAX_TICKS", 100)
    assert reason("C201|") == "a measure of 201 ticks; at most 100 can be read."


@pytest.mark.parametrize("data", [b"", b"\0" * 100, b"CDE|\n", b"%PDF-1.4\n%", b"\xff\xfeX\0:\0001\0"])
def test_a_file_without_a_tune_is_refused(data: bytes) -> None:
    with pytest.raises(UserError, match="no tune in it"):
        read_tunes(data)


def test_files_too_large_or_with_too_many_tunes_are_refused() -> None:
    with pytest.raises(UserError, match=f"{MAX_BYTES + 1} bytes"):
        read_tunes(b"X" * (MAX_BYTES + 1))
    with pytest.raises(UserError, match=f"over {MAX_TUNES} tunes"):
        read_tunes(b"X:1\n" * (MAX_TUNES + 1))
    assert len(read(b"X:1\nK:C\nC\n" * MAX_TUNES)) == MAX_TUNES


@pytest.mark.parametrize("piece", PIECES.split(";"))
def test_no_piece_of_text_however_often_repeated_takes_long(piece: str) -> None:
    data = tune(1, "C" + piece * (300_000 // len(piece))).encode()
    before = time.process_time()
    for _ in read_tunes(data):
        pass
    assert time.process_time() - before < 5


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_or_read(data: bytes) -> None:
    for start in (b"", b"X:1\nM:4/4\nK:C\n"):
        assert "\n" not in refusal(start + data)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="CDEFGABcdefgabzxZXKLMV:|[](){}<>/\"!-^_=,'0123456789 \n%", max_size=120))
def test_random_music_is_refused_or_read_in_order(body: str) -> None:
    for item in read(tune(1, body).encode("utf-8")):
        if isinstance(item, Tune):
            notes, measures = item.score.parts[0].notes, item.score.measures
            assert list(notes) == sorted(notes, key=lambda note: (note.start, note.pitch))
            assert all(note.start < note.end for note in notes)
            assert all(0 <= note.pitch <= 127 for note in notes)
            assert max(note.end for note in notes) <= measures[-1].start + measures[-1].length
            assert all(a.start + a.length == b.start for a, b in pairwise(measures))
            assert all(measure.length > 0 for measure in measures)
