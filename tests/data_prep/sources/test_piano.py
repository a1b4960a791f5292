"""Piano pieces; expected steps are worked out by hand, or by plain loops over what pretty_midi reads."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import mido
import numpy as np
import pretty_midi
import pytest

from data_prep.errors import UserError
from data_prep.options import Options
from data_prep.song import RawPiece
from data_prep.source import Item
from data_prep.sources.piano import SOURCE, find, read
from data_prep.windows import WindowCorpus

DATA = Path(__file__).parents[3].parent / "shared" / "data"
TREES = ("maestro-asap-nc", "maestro-like")
Event = tuple[int, Any]


def on(tick: int, pitch: int, velocity: int = 64, channel: int = 0) -> Event:
    return tick, mido.Message("note_on", note=pitch, velocity=velocity, channel=channel)


def off(tick: int, pitch: int, channel: int = 0) -> Event:
    return tick, mido.Message("note_off", note=pitch, velocity=0, channel=channel)


def pedal(tick: int, value: int) -> Event:
    return tick, mido.Message("control_change", control=64, value=value)


def midi(*tracks: Sequence[Event], resolution: int = 480, tempo: int = 500_000) -> bytes:
    """A MIDI file in which a quarter note lasts half a second."""
    file = mido.MidiFile(ticks_per_beat=resolution)
    for events in ([(0, mido.MetaMessage("set_tempo", tempo=tempo))], *tracks):
        track, now = mido.MidiTrack(), 0
        for tick, message in events:
            track.append(message.copy(time=tick - now))
            now = tick
        file.tracks.append(track)
    stream = io.BytesIO()
    file.save(file=stream)
    return stream.getvalue()


def piece_of(data: bytes, folder: Path, **options: Any) -> RawPiece:
    (folder / "a.mid").write_bytes(data)
    (piece,) = read(folder, Item(paths=("a.mid",)), Options(**options))
    return piece


def notes_of(data: bytes, folder: Path, **options: Any) -> list[list[int]]:
    notes: list[list[int]] = piece_of(data, folder, **options).notes.tolist()
    return notes


def test_starts_are_rounded_down_and_ends_up(tmp_path: Path) -> None:
    # 960 ticks a second: 60 to a step of 16 Hz.
    played = [
        on(0, 60),
        on(59, 61),
        off(60, 60),
        off(61, 61),
        on(240, 62, 100),
        off(241, 62),
        on(300, 63),
        off(359, 63),
    ]
    assert notes_of(midi(played), tmp_path) == [[0, 1, 60, 64], [0, 2, 61, 64], [4, 5, 62, 100], [5, 6, 63, 64]]
    piece = piece_of(midi(played), tmp_path, sampling_frequency=4.0)
    assert piece.notes.tolist() == [[0, 1, 60, 64], [0, 1, 61, 64], [1, 2, 62, 100], [1, 2, 63, 64]]
    assert piece.notes.dtype == np.int32


@pytest.mark.parametrize(
    ("resolution", "tempo", "ticks"),
    [
        (480, 500_000, 60),
        (480, 500_000, 1),
        (384, 512_821, 75),
        (220, 461_538, 3),
        (96, 333_333, 2),
        (1024, 999_999, 7),
    ],
)
def test_what_lies_on_a_step_is_on_it_even_after_hours(tmp_path: Path, resolution: int, tempo: int, ticks: int) -> None:
    a_second = resolution * 1e6 / tempo / ticks
    frequency = a_second if a_second <= 200 else a_second / 5
    ticks = ticks if a_second <= 200 else ticks * 5
    steps = np.linspace(0, 3 * 3600 * frequency - 2, 2000).astype(int).tolist()
    events = [event for step in steps for event in (on(step * ticks, 60), off((step + 1) * ticks, 60))]
    data = midi(events, resolution=resolution, tempo=tempo)
    notes = notes_of(data, tmp_path, sampling_frequency=frequency)
    assert notes == [[step, step + 1, 60, 64] for step in steps]


def test_all_tracks_but_drums_are_one_piece_in_order(tmp_path: Path) -> None:
    right = [on(0, 72), off(480, 72), on(480, 76), off(960, 76)]
    left = [on(0, 48, 90), off(960, 48)]
    drums = [on(0, 36, channel=9), off(960, 36, channel=9)]
    piece = piece_of(midi(right, drums, left), tmp_path)
    assert piece.notes.tolist() == [[0, 16, 48, 90], [0, 8, 72, 64], [8, 16, 76, 64]]
    assert piece.remarks == {"drums left out": 1}
    with pytest.raises(UserError, match="no note in it but drums"):
        notes_of(midi(drums), tmp_path)


def test_the_pedal_holds_what_ends_while_it_is_down(tmp_path: Path) -> None:
    # Steps of 60 ticks; the pedal is down in steps 4 to 10 and 12 to 14.
    pedals = [(240, 64), (600, 63), (720, 127), (840, 0)]
    notes = {60: (0, 180), 61: (0, 300), 62: (300, 360), 63: (0, 240), 64: (0, 600), 65: (0, 900), 66: (660, 780)}
    events = [on(start, pitch) for pitch, (start, _) in notes.items()]
    events += [off(end, pitch) for pitch, (_, end) in notes.items()]
    ordered = sorted([*events, *(pedal(*change) for change in pedals)], key=lambda event: event[0])
    ends = {pitch: end for _, end, pitch, _ in notes_of(midi(ordered), tmp_path, pedal="hold")}
    # Let go before the pedal is down; while it is (twice); just as it goes down; just as it is released; after both;
    # while it is down again.
    assert ends == {60: 3, 61: 10, 62: 10, 63: 10, 64: 10, 65: 15, 66: 14}
    ignored = piece_of(midi(ordered), tmp_path)
    assert {pitch: end for _, end, pitch, _ in ignored.notes.tolist()} == {
        pitch: end // 60 for pitch, (_, end) in notes.items()
    }
    assert ignored.remarks == {"sustain pedal ignored": 1}


def test_a_key_struck_again_ends_what_the_pedal_holds(tmp_path: Path) -> None:
    events = [
        pedal(0, 127),
        *(on(0, 60, 50), on(0, 64, 50), off(60, 60), off(60, 64)),
        *(on(300, 60, 70), off(360, 60)),
        pedal(960, 0),
    ]
    held = notes_of(midi(events), tmp_path, pedal="hold")
    assert held == [[0, 5, 60, 50], [0, 16, 64, 50], [5, 16, 60, 70]]


def test_a_pedal_holds_its_own_track_only(tmp_path: Path) -> None:
    right = [on(0, 72), off(60, 72), on(960, 72), off(1020, 72)]
    left = [pedal(0, 127), on(0, 48), off(60, 48), on(120, 72), off(180, 72), pedal(600, 0)]
    held = notes_of(midi(right, left), tmp_path, pedal="hold")
    assert held == [[0, 10, 48, 64], [0, 1, 72, 64], [2, 10, 72, 64], [16, 17, 72, 64]]


def test_a_pedal_down_for_ever_is_no_endless_note(tmp_path: Path) -> None:
    day = 960 * 3600 * 24
    events = [pedal(0, 127), on(0, 60), off(60, 60)]
    assert notes_of(midi([*events, pedal(960, 0)]), tmp_path, pedal="hold") == [[0, 16, 60, 64]]
    with pytest.raises(UserError, match="86,400 s of music"):
        notes_of(midi([*events, pedal(day, 0)]), tmp_path, pedal="hold")
    assert notes_of(midi([*events, pedal(day, 0)]), tmp_path) == [[0, 1, 60, 64]]


def test_the_order_does_not_hang_on_the_order_of_tracks(tmp_path: Path) -> None:
    loud, soft = [on(0, 60, 90), off(480, 60)], [on(0, 60, 30), off(480, 60)]
    assert (
        notes_of(midi(loud, soft), tmp_path)
        == notes_of(midi(soft, loud), tmp_path)
        == [
            [0, 8, 60, 30],
            [0, 8, 60, 90],
        ]
    )


def test_files_are_found_by_their_ending_in_any_case(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("b.MID", "a.mid", "sub/c.MiDi", "d.txt", ".e.mid", "f.midi.bak"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "g.mid").mkdir()
    (tmp_path / "nowhere.mid").symlink_to("gone.mid")
    found = find(tmp_path)
    assert [item.paths for item in found.items] == [("a.mid",), ("b.MID",), ("sub/c.MiDi",)]
    assert [item.path for item in found.skipped] == ["nowhere.mid"]
    assert [item.paths for item in find(tmp_path / "b.MID").items] == [("b.MID",)]


def test_names_are_stored_as_one_printable_line(tmp_path: Path) -> None:
    (tmp_path / "a\nb.mid").write_bytes(midi([on(0, 60), off(60, 60)]))
    (piece,) = read(tmp_path, Item(paths=("a\nb.mid",)), Options())
    assert piece.id == piece.path == "a\\nb.mid" == next(iter(piece.inputs))


@pytest.mark.parametrize("data", [b"", b"MThd", b"\0" * 100, b"MThd\0\0\0\6\0\1\0\1\1\xe0" + b"MTrk" + b"\xff" * 50])
def test_what_is_no_music_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(UserError):
        piece_of(data, tmp_path)


def test_damaged_files_give_sound_pieces_or_one_line(tmp_path: Path) -> None:
    events = [pedal(0, 127), *(event for k in range(40) for event in (on(60 * k, 30 + k), off(60 * k + 50, 30 + k)))]
    data = midi(events, [on(0, 50), off(9999, 50)])
    generator = np.random.default_rng(0)
    sound = 0
    for _ in range(1500):
        bad = bytearray(data)
        for place in generator.integers(0, len(bad), generator.integers(1, 6)):
            bad[place] = generator.integers(0, 256)
        hold = generator.choice(["ignore", "hold"])
        try:
            start, end, pitch, velocity = piece_of(bytes(bad), tmp_path, pedal=hold, sampling_frequency=200.0).notes.T
        except UserError:
            continue
        sound += 1
        assert start.min() >= 0
        assert (start < end).all()
        assert end.max() <= 3 * 3600 * 200
        assert pitch.min() >= 0
        assert pitch.max() <= 127
        assert velocity.min() >= 1
        assert velocity.max() <= 127
        assert (np.diff(start * 128 + pitch) >= 0).all()
    assert 100 < sound < 1500


def real_paths() -> list[str]:
    """Every fourth file of both trees: pretty_midi is slow."""
    paths = [path.relative_to(DATA).as_posix() for tree in TREES for path in sorted((DATA / tree).rglob("*.midi"))]
    return paths[::4] or ["missing"]


def expected_steps(path: Path, frequency: float, hold: bool) -> list[tuple[int, int, int, int]]:
    """The notes of the file as pretty_midi has them in seconds, note by note."""
    steps = []
    for instrument in pretty_midi.PrettyMIDI(str(path)).instruments:
        last = max(note.end for note in instrument.notes)
        for note in instrument.notes:
            end = note.end
            for down, up in presses(instrument, last) if hold else ():
                if down <= note.end < up:
                    again = [other.start for other in instrument.notes if other.pitch == note.pitch]
                    end = max(note.end, min([up, *(start for start in again if start > note.start)]))
            first = math.floor(note.start * frequency + 1e-6)
            steps.append((first, max(first + 1, math.ceil(end * frequency - 1e-6)), note.pitch, note.velocity))
    return sorted(steps, key=lambda step: (step[0], step[2], step[1], step[3]))


def presses(instrument: Any, last: float) -> list[tuple[float, float]]:
    """From when to when the sustain pedal is down; to the last note's end where it is never released."""
    found, down = [], None
    for change in instrument.control_changes:
        if change.number == 64 and change.value >= 64 and down is None:
            down = change.time
        elif change.number == 64 and change.value < 64 and down is not None:
            found.append((down, change.time))
            down = None
    return found if down is None else [*found, (down, last)]


@pytest.mark.parametrize("path", real_paths())
def test_real_performances(path: str) -> None:
    if path == "missing":
        pytest.skip(f"the real performances are not here ({DATA})")
    root, options = (DATA / path).parent, Options(sampling_frequency=16.0)
    (piece,) = read(root, Item(paths=(Path(path).name,)), options)
    assert list(map(tuple, piece.notes.tolist())) == expected_steps(DATA / path, 16.0, hold=False)
    held = Options(sampling_frequency=12.5, pedal="hold")
    (piece,) = read(root, Item(paths=(Path(path).name,)), held)
    assert list(map(tuple, piece.notes.tolist())) == expected_steps(DATA / path, 12.5, hold=True)


def test_the_source_makes_a_corpus_of_a_folder(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.mid").write_bytes(midi([on(0, 60 + number), off(960 * 8, 60 + number)]))
    (tmp_path / "bad.mid").write_bytes(b"")
    found = SOURCE.find(tmp_path)
    options = Options()
    pieces = [piece for item in found.items[:3] for piece in SOURCE.read(found.root, item, options)]
    corpus = SOURCE.assemble(pieces, options, source=SOURCE.name, hears=SOURCE.hears, versions=SOURCE.versions())
    assert isinstance(corpus, WindowCorpus)
    assert corpus.num_windows == 3
    assert set(corpus.about["options"]) == {"seed", "shares", "sampling_frequency", "pedal"}
