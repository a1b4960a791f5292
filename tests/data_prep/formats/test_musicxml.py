"""Small scores written by hand, with the bars that a musician reads in them."""

import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

from data_prep.errors import UserError
from data_prep.formats import musicxml
from data_prep.formats.musicxml import Note, Score
from data_prep.grid import OFF_GRID, OTHER_METRE, PARTIAL, Chords
from data_prep.song import Section
from data_prep.sources.score_bars import bar_spans, melody_bars
from data_prep.sources.sections import readable

HEAD = '<?xml version="1.0" encoding="{encoding}"?>\n{doctype}<score-partwise version="3.1"><part-list>'


def note(pitch: str, duration: int, extra: str = "") -> str:
    if pitch == "R":
        return f"<note><rest/><duration>{duration}</duration></note>"
    alter = "<alter>1</alter>" if "#" in pitch else ""
    return (
        f"<note>{extra}<pitch><step>{pitch[0]}</step>{alter}<octave>{pitch[-1]}</octave></pitch>"
        f"<duration>{duration}</duration></note>"
    )


def attributes(divisions: int = 4, beats: int = 4) -> str:
    return (
        f"<attributes><divisions>{divisions}</divisions><key><fifths>-2</fifths></key>"
        f"<time><beats>{beats}</beats><beat-type>4</beat-type></time></attributes>"
    )


def score(parts: dict[str, list[str]], encoding: str = "UTF-8", doctype: str = "") -> str:
    names = "".join(f'<score-part id="{n}"><part-name>{n}</part-name></score-part>' for n in parts)
    body = "".join(
        f'<part id="{name}">' + "".join(f"<measure>{measure}</measure>" for measure in measures) + "</part>"
        for name, measures in parts.items()
    )
    return f"{HEAD.format(encoding=encoding, doctype=doctype)}{names}</part-list>{body}</score-partwise>"


def write(tmp_path: Path, *measures: str) -> Path:
    path = tmp_path / "song.xml"
    path.write_text(score({"Soprano": list(measures)}))
    return path


def read_score(path: Path) -> Score:
    return musicxml.read_score(path.read_bytes())


def section(path: Path) -> Section:
    read = read_score(path)
    spans = bar_spans(read.measures, read.resolution)
    bars = melody_bars(read, read.parts[0].notes, spans)
    none = Chords(np.full((len(spans), 4), 24, np.int8), np.full(len(spans), 24, np.int8))
    return readable(path.name, {}, [span.fault for span in spans], bars, none)


TIE, STOP = '<tie type="start"/>', '<tie type="stop"/>'


def test_notes_have_exact_ticks_on_the_finest_grid_of_all_parts(tmp_path: Path) -> None:
    path = tmp_path / "two.xml"
    path.write_text(
        score({"A": [attributes(2) + note("C4", 3) + note("F#5", 5)], "B": [attributes(3) + note("C3", 12)]})
    )
    read = read_score(path)
    assert (read.resolution, read.fifths, [part.name for part in read.parts]) == (6, -2, ["A", "B"])
    assert read.parts[0].notes == (Note(0, 9, 60), Note(9, 24, 78))
    assert read.parts[1].notes == (Note(0, 24, 48),)
    assert read.measures == ((0, 24, 4, 4),)


def test_ties_join_over_the_bar_line_also_where_only_the_start_is_marked(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        attributes() + note("C4", 12) + note("E4", 4, TIE),
        note("E4", 4, STOP) + note("E4", 4) + note("G4", 8, TIE),
        note("G4", 8) + note("G4", 8),
    )
    bars = section(path)
    assert bars.melody.tolist() == [[60] * 12 + [64] * 4, [64] * 8 + [67] * 8, [67] * 16]
    assert [f"{bits:b}" for bits in bars.onset] == ["1000000000001", "100010000", "100000000"]


def test_a_tie_to_another_pitch_joins_nothing(tmp_path: Path) -> None:
    notes = read_score(write(tmp_path, attributes() + note("C4", 8, TIE) + note("D4", 8))).parts[0].notes
    assert notes == (Note(0, 8, 60), Note(8, 16, 62))


def test_the_pick_up_is_dropped_and_a_cut_bar_is_joined(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        attributes() + note("G4", 4),
        note("C5", 16),
        note("B4", 12) + '<barline><repeat direction="backward"/></barline>',
        note("A4", 4),
        note("F4", 16),
        note("E4", 12),
    )
    bars = section(path)
    assert bars.bar.tolist() == [0, 1, 2]
    assert bars.melody.tolist() == [[72] * 16, [71] * 12 + [69] * 4, [65] * 16]
    assert bars.unreadable == {PARTIAL: 1}


def test_bars_in_three_four_and_triplets_are_left_out_and_counted(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        attributes(12) + note("C4", 48),
        note("D4", 16) + note("E4", 16) + note("F4", 16),
        attributes(12, beats=3) + note("G4", 36),
        attributes(12) + note("A4", 48),
    )
    bars = section(path)
    assert bars.bar.tolist() == [0, 3]
    assert bars.melody[:, 0].tolist() == [60, 69]
    assert bars.unreadable == {OTHER_METRE: 1, OFF_GRID: 1}


def test_chords_voices_grace_notes_and_rests(tmp_path: Path) -> None:
    grace = "<note><grace/><pitch><step>B</step><octave>6</octave></pitch></note>"
    path = write(
        tmp_path,
        attributes()
        + grace
        + note("C4", 4)
        + note("E4", 4, "<chord/>")
        + note("R", 12)
        + "<backup><duration>8</duration></backup>"
        + note("G3", 4)
        + "<forward><duration>4</duration></forward>",
    )
    bars = section(path)
    assert bars.melody.tolist() == [[64] * 4 + [-1] * 4 + [55] * 4 + [-1] * 4]
    assert bars.onset.tolist() == [1 | 1 << 8]


def test_an_empty_bar_whose_rest_is_written_twice_is_one_bar(tmp_path: Path) -> None:
    assert section(write(tmp_path, attributes() + note("R", 16) + note("R", 16), note("C4", 16))).bar.tolist() == [
        0,
        1,
    ]


def test_a_note_into_the_next_measure_makes_a_partial_bar(tmp_path: Path) -> None:
    assert section(write(tmp_path, attributes() + note("C4", 20))).unreadable == {PARTIAL: 1}


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16", "ISO-8859-1"])
def test_encodings_and_compressed_files_read_the_same(tmp_path: Path, encoding: str) -> None:
    text = score({"Canto é": [attributes() + note("C4", 16)]}, encoding).encode(encoding)
    plain, packed = tmp_path / "plain.musicxml", tmp_path / "packed.mxl"
    plain.write_bytes(text)
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("other.xml", "<nonsense/>")
        archive.writestr("inner/score.xml", text)
        archive.writestr(
            "META-INF/container.xml",
            '<container><rootfiles><rootfile full-path="inner/score.xml"/></rootfiles></container>',
        )
    assert read_score(plain) == read_score(packed)
    assert read_score(plain).parts[0].name == "Canto é"


def packed(**members: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
    return data.getvalue()


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
GOOD_BAR = attributes() + note("C4", 16)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "not well-formed"),
        (b"\x00\xff" * 99, "not well-formed"),
        (b"<score-partwise><part>", "not well-formed"),
        (b"<score-timewise/>", "partwise"),
        (b"<score-partwise/>", "no <part>"),
        (score({"A": [GOOD_BAR]}, doctype=BOMB).encode(), "declares entities"),
        (score({"A": [GOOD_BAR]}, "UTF-16", BOMB).encode("utf-16"), "declares entities"),
        (packed(x="y"), "container.xml"),
        (packed(**{"META-INF/container.xml": "<c><rootfile full-path='../../etc/passwd'/></c>"}), "names"),
        (packed(x="y" * 999)[:-40], "not well-formed"),
        (score({"A": [note("C4", 4).replace("4</dur", "nan</dur")]}).encode(), "whole number"),
        (score({"A": [note("C4", 4).replace("4</dur", "9" * 5000 + "</dur")]}).encode(), "whole number"),
        (score({"A": [note("H4", 4)]}).encode(), "A to G"),
        (score({"A": [note("C4", -4)]}).encode(), "never negative"),
        (score({"A": [note("C4", 4).replace("<octave>4", "<octave>99")]}).encode(), "MIDI number"),
        (score({"A": [attributes(0)]}).encode(), "divisions"),
        (score({"A": [attributes(999_999_937) + attributes(999_999_929)]}).encode(), "divisions"),
    ],
)
def test_a_file_that_is_no_sound_score_gets_one_clear_line(data: bytes, reason: str) -> None:
    with pytest.raises(UserError, match=reason) as caught:
        musicxml.read_score(data)
    assert "\n" not in str(caught.value)


def test_an_apostrophe_in_a_title_that_breaks_the_container_is_no_matter() -> None:
    broken = "<container><rootfiles><rootfile full-path='I'll be with you.xml'/></rootfiles></container>"
    sheet = score({"A": [GOOD_BAR]})
    one = packed(**{"META-INF/container.xml": broken, "I'll be with you.xml": sheet})
    assert musicxml.read_score(one) == musicxml.read_score(sheet.encode())
    two = packed(**{"META-INF/container.xml": broken, "a.xml": sheet, "b.xml": sheet})
    with pytest.raises(UserError, match="not in the archive"):
        musicxml.read_score(two)


def test_a_bomb_in_an_archive_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.formats.xml.MAX_BYTES", 10_000)
    path = tmp_path / "bomb.mxl"
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("META-INF/container.xml", "<c>" + " " * 10**6 + "</c>")
    path.write_bytes(data.getvalue())
    with pytest.raises(UserError, match="when unzipped"):
        read_score(path)


def test_the_transposition_of_an_instrument_is_heard(tmp_path: Path) -> None:
    horn = attributes().replace(
        "</attributes>", "<transpose><chromatic>-7</chromatic><octave-change>1</octave-change></transpose></attributes>"
    )
    assert np.unique(section(write(tmp_path, horn + note("C4", 16))).melody).tolist() == [65]
