"""Lead sheets in MusicXML; expected bars are worked out with music21's parser, measure by measure."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from music21 import converter, harmony, stream

from data_prep import chords
from data_prep.errors import UserError
from data_prep.options import Options
from data_prep.prepare import prepare
from data_prep.song import Section
from data_prep.source import Item
from data_prep.sources import musicxml
from data_prep.sources.musicxml import SOURCE

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "OpenEWLD"


@pytest.fixture
def open_ewld() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no OpenEWLD at {DATA}")
    return DATA


def section(root: Path, path: str, **options: Any) -> Section:
    [song] = musicxml.read(root, Item(paths=(path,)), Options(**options))
    return song.sections[0]


def expected(path: Path) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
    """Pitches on the sixteenths and chords on the beats of every whole bar, by number of the measure from 0."""
    part = converter.parse(path, forceSource=True).parts[0]
    measures = list(part.getElementsByClass(stream.Measure))
    notes = [(n.getOffsetInHierarchy(part), n) for n in part.recurse().notes if not isinstance(n, harmony.Harmony)]
    symbols = [
        (c.getOffsetInHierarchy(part), _triad(c)) for c in part.recurse().getElementsByClass(harmony.ChordSymbol)
    ]
    melody, chord = {}, {}
    for number, measure in enumerate(measures):
        start = measure.offset
        signature = measure.timeSignature or measure.getContextByClass("TimeSignature")
        if signature.ratioString not in ("4/4", "2/2") or measure.duration.quarterLength != 4:
            continue
        times = [start + Fraction(step, 4) for step in range(16)]
        melody[number] = [_sounding(notes, time) for time in times]
        chord[number] = [next((c for at, c in reversed(symbols) if at <= time), 24) for time in times[::4]]
        inside = [
            n for n in notes if n[0] < start + 4 and n[0] + n[1].quarterLength > start and not n[1].duration.isGrace
        ]
        edges = [edge - start for at, n in inside for edge in (at, at + n.quarterLength)]
        if any(0 < edge < 4 and edge * 4 % 1 for edge in edges):
            del melody[number]
    return melody, chord


def _sounding(notes: list[tuple[Any, Any]], time: Fraction) -> int:
    return max((n.pitches[-1].midi for at, n in notes if at <= time < at + n.quarterLength), default=-1)


def _triad(symbol: harmony.ChordSymbol) -> int:
    if isinstance(symbol, harmony.NoChord):
        return 24
    # music21 spells a "minor-major" chord and a #9 otherwise than it reads them: no song with either is compared
    minor = any((pitch.midi - symbol.root().midi) % 12 == 3 for pitch in symbol.pitches)
    return chords.encode(symbol.root().pitchClass, minor=minor)


def _files(root: Path) -> list[Path]:
    return sorted(root.rglob("*.mxl"))


@pytest.mark.parametrize("number", range(5, 160, 26))
def test_bars_and_chords_are_those_that_music21_reads(number: int, open_ewld: Path) -> None:
    compare(open_ewld, _files(open_ewld)[number])


def compare(root: Path, path: Path) -> int:
    melody, chord = expected(path)
    ours = section(root, str(path.relative_to(root)))
    shift = ours_starts_at(path)
    assert [bar + shift for bar in ours.bar.tolist()] == list(melody)
    for row, bar in enumerate(melody):
        assert ours.melody[row].tolist() == melody[bar], (path, bar)
        assert ours.chord[row].tolist() == chord[bar], (path, bar)
    return len(melody)


def ours_starts_at(path: Path) -> int:
    """A pick-up is no bar: 1 where there is one."""
    first = converter.parse(path).parts[0].getElementsByClass(stream.Measure)[0]
    return int(first.duration.quarterLength < first.barDuration.quarterLength)


def test_the_songs_become_a_corpus(open_ewld: Path) -> None:
    corpus = prepare(SOURCE, open_ewld, jobs=2)
    counts = corpus.about["counts"]
    assert (counts["songs"], counts["bars"], sum(counts["dropped_bars"].values())) == (131, 4135, 1250)
    assert {item["reason"] for item in corpus.about["skipped"]} == {"no usable bar: not in 4/4"}


def symbol(root: str, kind: str, extra: str = "") -> str:
    step = f"<root><root-step>{root[0]}</root-step>{'<root-alter>-1</root-alter>' * root.endswith('b')}</root>"
    return f"<harmony>{step if root != 'N.C.' else ''}<kind>{kind}</kind>{extra}</harmony>"


def quarter(pitch: str = "C4", count: int = 1) -> str:
    note = f"<note><pitch><step>{pitch[0]}</step><octave>{pitch[1]}</octave></pitch><duration>2</duration></note>"
    return note * count


HEAD = "<attributes><divisions>2</divisions><time><beats>4</beats><beat-type>4</beat-type></time></attributes>"


def sheet(tmp_path: Path, *parts: tuple[str, list[str]], **options: Any) -> Section:
    names = "".join(f'<score-part id="{name}"><part-name>{name}</part-name></score-part>' for name, _ in parts)
    body = "".join(
        f'<part id="{name}">' + "".join(f"<measure>{measure}</measure>" for measure in measures) + "</part>"
        for name, measures in parts
    )
    text = f"<score-partwise><part-list>{names}</part-list>{body}</score-partwise>"
    (tmp_path / "song.MusicXML").write_text(text)
    return section(tmp_path, "song.MusicXML", **options)


def test_a_symbol_is_meant_until_the_next_over_bar_lines_too(tmp_path: Path) -> None:
    first = HEAD + quarter() + symbol("D", "minor") + quarter(count=2) + symbol("N.C.", "none") + quarter()
    second = quarter(count=2) + symbol("Bb", "dominant", "<offset>1</offset>") + quarter(count=2)
    read = sheet(tmp_path, ("Voice", [first, second, quarter(count=4)]))
    assert read.chord.tolist() == [[24, 14, 14, 24], [24, 24, 24, 10], [10] * 4]
    assert read.first_chord.tolist() == [14, 10, 10]


KINDS = [
    ("major", 9, 9), ("minor", 21, 21), ("dominant", 9, 24), ("major-seventh", 9, 24), ("minor-seventh", 21, 24),
    ("diminished", 21, 24), ("diminished-seventh", 21, 24), ("half-diminished", 21, 24), ("augmented", 9, 24),
    ("augmented-seventh", 9, 24), ("minor-major", 21, 24), ("major-minor", 21, 24), ("suspended-fourth", 9, 24),
    ("maj69", 9, 24), ("none", 24, 24), ("power", 24, 24), ("Tristan", 24, 24), ("", 24, 24),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "by_third", "strict"), KINDS)
def test_kinds(kind: str, by_third: int, strict: int, tmp_path: Path) -> None:
    parts = ("Voice", [HEAD + symbol("A", kind) + quarter(count=4)])
    read = sheet(tmp_path, parts, chords="optional")
    assert read.chord.tolist() == [[by_third] * 4]
    assert bool(read.remarks) == (by_third == 24 and kind != "none")
    assert sheet(tmp_path, parts, chord_quality="strict").chord.tolist() == [[strict] * 4]


def test_an_instrument_that_sounds_lower_has_its_symbols_moved_too(tmp_path: Path) -> None:
    clarinet = HEAD.replace("</time>", "</time><transpose><chromatic>-2</chromatic></transpose>")
    read = sheet(tmp_path, ("Clarinet", [clarinet + symbol("D", "major") + quarter("D4", 4)]))
    assert read.chord.tolist() == [[0] * 4]
    assert read.melody.tolist() == [[60] * 16]


def test_the_melody_is_under_the_symbols_unless_another_part_is_named(tmp_path: Path) -> None:
    parts = ("Flute", [HEAD + quarter("E5", 4)]), ("Voice", [HEAD + symbol("C", "major") + quarter("G4", 4)])
    for wanted, pitch in ((None, 67), ("flute", 76), ("Voice", 67), ("1", 76), ("2", 67)):
        assert sheet(tmp_path, *parts, melody_track=wanted).melody.tolist() == [[pitch] * 16]
    for wanted in ("Horn", "3", "0"):
        with pytest.raises(UserError, match=f"no part {wanted!r} in it; its parts are 'Flute', 'Voice'"):
            sheet(tmp_path, *parts, melody_track=wanted)


def test_without_symbols_a_score_is_refused_or_taken_as_melody_alone(tmp_path: Path) -> None:
    part = ("Voice", [HEAD + quarter(count=4)])
    with pytest.raises(UserError, match="no chord symbol"):
        sheet(tmp_path, part)
    assert sheet(tmp_path, part, chords="optional").chord.tolist() == [[24] * 4]
    with pytest.raises(UserError, match="no note in it"):
        sheet(tmp_path, ("Voice", [HEAD + symbol("C", "major")]))


@pytest.mark.parametrize(
    "bad", [symbol("H", "major"), "<harmony/>", "<harmony><root/><kind/></harmony>", symbol("N.C.", "major")]
)
def test_a_symbol_without_a_root_is_no_chord_and_remarked(bad: str, tmp_path: Path) -> None:
    read = sheet(tmp_path, ("Voice", [HEAD + bad + quarter(count=4)]))
    assert read.chord.tolist() == [[24] * 4]
    assert sum(read.remarks.values()) == 1
