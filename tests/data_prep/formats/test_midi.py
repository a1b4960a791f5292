"""MIDI files: what both readers make of bytes written by hand, of real files (held against pretty_midi), of damage."""

import random
import struct
import sys
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.errors import UserError
from data_prep.formats import midi
from data_prep.formats.midi import Midi, read_midi, versions

DATA = Path(__file__).parents[3].parent / "shared" / "data"
KINDS = ("nottingham/MIDI", "POP909", "maestro-like", "maestro-asap-nc")
NOTE = b"\x00\x90\x3c\x50\x60\x80\x3c\x00"  # middle C, velocity 80, for 96 ticks
SYMUSIC = "data_prep.formats.midi_symusic"


def delta(ticks: int) -> bytes:
    groups = [ticks >> shift & 127 for shift in (21, 14, 7, 0)]
    return bytes([group | 128 for group in groups[:-1]] + groups[-1:])


def file(*tracks: bytes, form: int = 1, resolution: int = 96) -> bytes:
    chunks = b"".join(b"MTrk" + struct.pack(">I", len(track)) + track for track in tracks)
    return b"MThd" + struct.pack(">IHHH", 6, form, len(tracks), resolution) + chunks


def meta(kind: int, content: bytes, ticks: int = 0) -> bytes:
    return delta(ticks) + bytes([0xFF, kind, len(content)]) + content


def notes_of(content: Midi) -> list[list[list[int]]]:
    return [track.notes.tolist() for track in content.tracks]


@pytest.fixture(params=["symusic", "pretty_midi"])
def reader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "pretty_midi":
        monkeypatch.setitem(sys.modules, SYMUSIC, None)  # as where symusic is not installed
    return str(request.param)


def test_the_reader_is_named_with_its_version(reader: str) -> None:
    assert versions() == {reader: version(reader)}


def test_every_instrument_is_a_track_in_order_of_file_then_channel_then_program() -> None:
    first = meta(3, "Café".encode()) + b"\x00\x99\x24\x40\x60\x89\x24\x00" + b"\x00\xc0\x05" + NOTE
    second = b"\x00\x90\x40\x0a\x00\x90\x3e\x0b\x30\x90\x40\x00\x00\x80\x3e\x00"  # velocity 0 ends a note as well
    read = read_midi(file(first, meta(3, b"empty"), second))
    assert [(track.name, track.is_drum) for track in read.tracks] == [("Café", False), ("Café", True), ("", False)]
    assert notes_of(read) == [[[96, 192, 60, 80]], [[0, 96, 36, 64]], [[0, 48, 62, 11], [0, 48, 64, 10]]]
    assert read.resolution == 96
    assert all(track.notes.dtype == track.pedal.dtype == np.int64 for track in read.tracks)


def test_of_two_notes_of_a_pitch_the_older_one_ends_first_and_what_has_no_length_is_none() -> None:
    twice = b"\x00\x90\x3c\x01\x10\x90\x3c\x02\x10\x80\x3c\x00\x10\x80\x3c\x00"
    silent = b"\x00\x90\x30\x05\x00\x80\x30\x00" + b"\x00\x90\x31\x05"  # one of no length, one that never ends
    assert notes_of(read_midi(file(twice + silent))) == [[[0, 32, 60, 1], [16, 48, 60, 2]]]


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("channel", [0, 3])
def test_the_pedal_is_down_from_64_on_until_it_is_released_or_the_last_note_ends(channel: int) -> None:
    values = [(0, 10), (8, 64), (8, 127), (8, 63), (8, 0), (8, 100)]  # ticks since the one before
    changes = b"".join(delta(ticks) + bytes([0xB0 + channel, 64, value]) for ticks, value in values)
    notes = bytes([0, 0x90 + channel, 60, 80, 96, 0x80 + channel, 60, 0])
    assert read_midi(file(changes + notes)).tracks[0].pedal.tolist() == [[8, 24], [40, 136]]


def test_metres_are_passed_on_as_they_are_and_nonsense_has_a_denominator_of_0() -> None:
    signatures = meta(0x58, b"\x03\x02\x18\x08") + meta(0x58, b"\x00\x03\x18\x08", 10) + meta(0x58, b"\x04\xc8\x18\x08")
    read = read_midi(file(signatures, meta(0x58, b"\x02\x01\x18\x08", 5) + NOTE))
    assert read.metres.tolist() == [[0, 3, 4], [5, 2, 2], [10, 0, 8], [10, 4, 0]]


def test_seconds_follow_the_tempi_from_120_on_and_a_tempo_of_0_is_none() -> None:
    tempi = meta(0x51, b"\x0f\x42\x40", 96) + meta(0x51, b"\x00\x00\x00", 48) + meta(0x51, b"\x03\xd0\x90", 48)
    read = read_midi(file(tempi, NOTE))
    assert read.tempi.tolist() == [[96, 1e6], [192, 250_000]]
    # One quarter at 120 a minute, one at 60, then 240.
    seconds = read.seconds(np.array([[0, 48], [96, 144], [192, 288]]))
    np.testing.assert_allclose(seconds, [[0, 0.25], [0.5, 1], [1.5, 1.75]])


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "MThd"),
        (b"RIFF" + file(NOTE), "MThd"),
        (file(NOTE)[:13], "MThd"),
        (file(NOTE).replace(b"\x00\x00\x00\x06", b"\x00\x00\x00\x05"), "header of 5 bytes"),
        (file(NOTE, form=2), "format 2"),
        (file(NOTE, resolution=0), "ticks of a quarter"),
        (file(NOTE, resolution=0xE728), "ticks of a quarter"),
        (file(NOTE)[:-2], "damaged"),
        (file(), "no note|damaged"),
        (file(meta(3, b"silence")), "no note"),
        (file((delta(2**28 - 1) + b"\xb0\x07\x40") * 4 + NOTE), "tick"),
        (file((delta(2**28 - 1) + b"\xb0\x07\x40") * 9 + NOTE), "tick"),  # below 0 in 32 bits
        (file(b"\x00\x90\x3c\x50" + delta(96 * 2 * 10_801) + b"\x80\x3c\x00"), "10,801 s"),
        (file(*[b"\x00\x90\x3c\x50\x60\x80\x3c\x00"] * 1_001), "1,001 tracks"),
    ],
)
def test_what_is_no_sound_music_is_refused_in_a_line(data: bytes, rule: str) -> None:
    with pytest.raises(UserError, match=rule) as caught:
        read_midi(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


@pytest.mark.usefixtures("reader")
def test_too_many_notes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi, "MAX_NOTES", 2)
    assert len(read_midi(file(NOTE * 2)).tracks[0].notes) == 2
    with pytest.raises(UserError, match="3 notes"):
        read_midi(file(NOTE * 3))


def test_pretty_midi_ends_all_notes_of_a_pitch_with_one_release(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the two readers differ; no file of the corpora that docs/data.md names has it."""
    monkeypatch.setitem(sys.modules, SYMUSIC, None)
    twice = b"\x00\x90\x3c\x01\x10\x90\x3c\x02\x10\x80\x3c\x00\x10\x80\x3c\x00"
    assert notes_of(read_midi(file(twice))) == [[[0, 32, 60, 1], [16, 32, 60, 2]]]


def test_a_file_that_would_take_minutes_without_symusic_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, SYMUSIC, None)
    with pytest.raises(UserError, match="pip install symusic"):
        read_midi(file(NOTE * 300_000))


def real_files(each: int) -> list[Path]:
    if not DATA.is_dir():
        pytest.skip(f"no music at {DATA}")
    chosen = random.Random(1)
    kinds: Iterable[list[Path]] = (sorted((DATA / kind).rglob("*.mid*")) for kind in KINDS)
    return [path for paths in kinds for path in chosen.sample(paths, min(each, len(paths)))]


def test_both_readers_make_the_same_of_real_files(monkeypatch: pytest.MonkeyPatch) -> None:
    data = [path.read_bytes() for path in real_files(12)]
    read = [read_midi(file) for file in data]
    monkeypatch.setitem(sys.modules, SYMUSIC, None)
    for ours, other in zip(read, map(read_midi, data), strict=True):
        for track, same in zip(ours.tracks, other.tracks, strict=True):
            assert (track.name, track.is_drum) == (same.name, same.is_drum)
            np.testing.assert_array_equal(track.notes, same.notes)
            np.testing.assert_array_equal(track.pedal, same.pedal)
        np.testing.assert_array_equal(np.unique(ours.metres, axis=0), np.unique(other.metres, axis=0))
        last = ours.tracks[0].notes[:, 1]
        np.testing.assert_allclose(ours.seconds(last), other.seconds(last))
    assert any(len(track.pedal) for content in read for track in content.tracks)


def test_notes_and_pedals_of_real_files_are_those_of_pretty_midi() -> None:
    for path in real_files(3):
        read = read_midi(path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            instruments = pretty_midi.PrettyMIDI(str(path)).instruments
        assert [track.name for track in read.tracks] == [instrument.name for instrument in instruments]
        for track, instrument in zip(read.tracks, instruments, strict=True):
            expected = sorted((note.start, note.pitch, note.end, note.velocity) for note in instrument.notes)
            start, end = read.seconds(track.notes[:, :2]).T
            np.testing.assert_allclose(np.stack([start, track.notes[:, 2], end, track.notes[:, 3]], axis=1), expected)
            assert len(track.pedal) == presses(instrument)


def presses(instrument: pretty_midi.Instrument) -> int:
    """How often the pedal goes down while there are notes to come or sounding."""
    count, down = 0, False
    for change in instrument.control_changes:
        if change.number == 64 and change.time < instrument.get_end_time():
            count += change.value >= 64 and not down
            down = change.value >= 64
    return count


def damaged(data: bytes, chosen: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chosen.choice((1, 3, 30))):
        place = chosen.randrange(14, len(changed))
        kind = chosen.randrange(4)
        if kind < 2:
            changed[place] = chosen.choice((0, 0x2F, 0x51, 0x58, 0x7F, 0x80, 0x90, 0xF0, 0xFF, chosen.randrange(256)))
        elif kind == 2:
            del changed[place : min(place + chosen.randrange(20), len(changed) - 15)]
        else:
            changed[place:place] = chosen.randbytes(chosen.randrange(20))
    return bytes(changed)


@pytest.mark.usefixtures("reader")
def test_damaged_real_files_are_read_or_refused(reader: str) -> None:
    chosen = random.Random(2)
    files = [path.read_bytes() for path in real_files(4) if path.stat().st_size < 20_000]
    for _ in range(600 if reader == "symusic" else 100):
        read_or_refused(damaged(chosen.choice(files), chosen))


@settings(max_examples=150, deadline=2000)
@given(st.lists(st.binary(max_size=60), max_size=3), st.integers(0, 1), st.integers(0, 0xFFFF))
def test_any_bytes_are_read_or_refused(tracks: list[bytes], form: int, resolution: int) -> None:
    read_or_refused(file(*tracks, form=form, resolution=resolution))


def read_or_refused(data: bytes) -> None:
    try:
        read = read_midi(data)
    except UserError:
        return
    for track in read.tracks:
        start, end, pitch, velocity = track.notes.T
        assert ((start >= 0) & (start < end) & (end <= midi.MAX_TICKS)).all()
        assert ((pitch >= 0) & (pitch < 128) & (velocity >= 1) & (velocity < 128)).all()
        assert (np.lexsort((pitch, start)) == np.arange(len(start))).all()
        assert (track.pedal[:, 0] < track.pedal[:, 1]).all()
        assert (read.seconds(end) <= midi.MAX_SECONDS).all()
