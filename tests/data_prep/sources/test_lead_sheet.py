"""Lead Sheet Dataset; bars are held against the authors' own rendering to MIDI, chords against their written names."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep import chords
from data_prep.bars import transpose
from data_prep.errors import UserError
from data_prep.grid import OFF_GRID
from data_prep.kinds import save
from data_prep.options import Options
from data_prep.prepare import prepare
from data_prep.song import RawSong, Section, SkippedFile
from data_prep.source import Item
from data_prep.sources import lead_sheet
from data_prep.sources.lead_sheet import SOURCE
from data_prep.store import ABOUT_FILE

DATA = Path(__file__).parents[3].parent / "shared" / "data" / "lead-sheet-dataset"
PLACE = "datasets/event/x/xilent/the-place/chorus_symbol_nokey.json"


@pytest.fixture
def dataset() -> Path:
    if not DATA.is_dir():
        pytest.skip(f"no Lead Sheet Dataset at {DATA}")
    return DATA


def section(root: Path, path: str, **options: Any) -> Section:
    read = lead_sheet.read(root, Item(paths=(path,)), Options(**options))
    assert isinstance(read[0], RawSong), read
    return read[0].sections[0]


def event(start: float, end: float, **fields: Any) -> dict[str, Any]:
    return {"event_on": start, "event_off": end, **fields}


def chord(start: float, end: float, root: Any, quality: Any = "", **fields: Any) -> dict[str, Any]:
    return event(start, end, **{"root": root, "quality": quality, "chord_type": 5, "sus": None, **fields})


def content(melody: Any, chord: Any = (), beats: Any = "4") -> dict[str, Any]:
    return {"metadata": {"beats_in_measure": beats}, "tracks": {"melody": melody, "chord": list(chord)}}


def written(tmp_path: Path, melody: Any, chord: Any = (), beats: Any = "4", **options: Any) -> Section:
    (tmp_path / "verse_symbol_nokey.json").write_text(json.dumps(content(melody, chord, beats)))
    return section(tmp_path, "verse_symbol_nokey.json", **options)


def test_the_melody_is_the_one_that_the_authors_rendered(dataset: Path) -> None:
    compared = 0
    for path in sorted(dataset.glob("datasets/pianoroll/**/*_nokey.mid")):
        source = str(path.relative_to(dataset)).replace("pianoroll", "event").replace("_nokey.mid", lead_sheet.SUFFIX)
        events = json.loads((dataset / source).read_text())["tracks"]
        if not any(events["melody"]):
            continue
        rendered = pretty_midi.PrettyMIDI(str(path))
        ours = section(dataset, source)
        line, starts = [-1] * (16 * len(ours.melody)), set()
        for note in rendered.instruments[0].notes:
            first, last = (round(rendered.time_to_tick(time) / 55) for time in (note.start, note.end))
            line[first:last] = [note.pitch] * (last - first)
            starts.add(first)
        assert ours.bar.tolist() == list(range(len(ours.bar)))
        assert ours.melody.ravel().tolist() == line, source
        assert {16 * bar + step for bar in ours.bar for step in range(16) if ours.onset[bar] >> step & 1} == starts
        compared += len(ours.bar)
    assert compared == 128


def test_chords_are_those_that_are_written_on_each_beat(dataset: Path) -> None:
    names = {name.replace("m", ""): root for root, name in enumerate(chords.PITCH_CLASS_NAMES)}
    for path in sorted(dataset.glob("datasets/event/**/*_symbol_nokey.json")):
        tracks = json.loads(path.read_text())["tracks"]
        if not any(tracks["melody"]):
            continue
        ours = section(dataset, str(path.relative_to(dataset)))
        for bar in ours.bar.tolist():
            heard = []
            for beat in range(4 * bar, 4 * bar + 4):
                symbol = next(
                    (c["symbol"] for c in tracks["chord"] if c and c["event_on"] <= beat < c["event_off"]), ""
                )
                root = symbol[:2] if symbol[1:2] in ("b", "#") else symbol[:1]  # in lower case for a minor chord
                heard.append(names[root.capitalize()] + 12 * root.islower() if symbol else 24)
            assert ours.chord[bar].tolist() == heard


def test_the_first_bars_of_a_real_chorus(dataset: Path) -> None:
    chorus = section(dataset, PLACE)
    silent = -1
    assert chorus.melody[0].tolist() == [silent] * 2 + [60] * 2 + [67] * 2 + [75] * 2 + [silent] * 8
    assert chorus.melody[1].tolist() == [
        silent, silent, 58, 58, 74, 74, 70, 70, silent, silent, 70, 70, 74, 74, 70, 70,
    ]  # fmt: skip
    assert [chords.name(chord) for chord in chorus.first_chord[:6].tolist()] == ["Cm", "Bb", "F", "F", "Cm", "Bb"]


def test_melody_and_chords_are_in_one_key(dataset: Path) -> None:
    """Half of the melody at least lies in its chords: it is 6 of 10 sixteenths in C, and 2 of 10 a semitone off."""
    chorus = section(dataset, PLACE)
    triads = np.repeat(chords.TRIADS[chorus.chord], 4, axis=1)
    inside = [_share_inside(transpose(chorus.melody, shift), triads) for shift in range(-5, 7)]
    assert np.argmax(inside) == 5
    assert inside[5] > 0.5


def _share_inside(melody: np.ndarray, triads: np.ndarray) -> float:
    sounding = melody >= 0
    return float(np.take_along_axis(triads, melody[..., None] % 12, axis=2)[..., 0][sounding].mean())


def test_sections_of_a_song_stay_together_and_other_files_are_left_alone(dataset: Path) -> None:
    found = SOURCE.find(dataset)
    songs = [Path(item.paths[0]).parent.name for item in found.items]
    xi, xilent = ["freedom-dive"], ["animation", "choose-me", "disconnect", "synthony", "the-place"]
    assert songs == [*xi, *xilent, "orlando", "revenge", "white-noise"]
    assert sum(len(item.paths) for item in found.items) == 14
    assert all(path.endswith(lead_sheet.SUFFIX) for item in found.items for path in item.paths)


def test_the_dataset_becomes_a_corpus(dataset: Path, tmp_path: Path) -> None:
    corpus = prepare(SOURCE, dataset)
    assert (corpus.about["counts"]["songs"], corpus.about["counts"]["bars"]) == (6, 120)
    assert [item["reason"] for item in corpus.about["skipped"]] == ["no melody"] * 4
    save(corpus, tmp_path)
    assert "the-place" in (tmp_path / ABOUT_FILE).read_text()


def test_one_section_may_be_named_by_itself(dataset: Path) -> None:
    corpus = prepare(SOURCE, dataset / PLACE)
    assert corpus.about["songs"][0]["id"] == "the-place"
    assert corpus.about["counts"]["bars"] == 16


def test_the_folder_of_one_song_may_be_named(dataset: Path) -> None:
    corpus = prepare(SOURCE, (dataset / PLACE).parent)
    [song] = corpus.about["songs"]
    assert (song["id"], len(song["sections"])) == ("the-place", 2)
    with pytest.raises(UserError, match="No music of this kind"):
        prepare(SOURCE, dataset / PLACE.replace("nokey", "key"))  # in another key than its chords are wanted in


def test_nothing_is_lost_at_eight_bar_borders_and_a_tail_shorter_than_eight_is_kept(tmp_path: Path) -> None:
    notes = [event(3 * i, 3 * i + 3, pitch=i % 12) for i in range(15)]  # three beats each, over every bar line
    verse = written(tmp_path, [*notes[:4], None, *notes[4:]])
    line = [60 + i % 12 for i in range(15) for _ in range(12)]
    assert verse.melody.ravel()[: len(line)].tolist() == line
    assert len(verse.melody) == 12
    assert verse.melody[11, 4:].tolist() == [-1] * 12
    starts = [step for step in range(180) if verse.onset[step // 16] >> step % 16 & 1]
    assert starts == list(range(0, 180, 12))


def test_rests_leave_all_times_as_they_are(tmp_path: Path) -> None:
    verse = written(tmp_path, [None, event(5, 6, pitch=0), None, event(9.25, 9.5, pitch=2.0), None])
    assert verse.melody.ravel().tolist() == [-1] * 20 + [60] * 4 + [-1] * 13 + [62] + [-1] * 10


def test_a_triplet_drops_its_own_bar_and_drifts_no_other(tmp_path: Path) -> None:
    third = 1 / 3
    triplet = [event(4 + i * third, 4 + (i + 1) * third, pitch=5) for i in range(3)]
    verse = written(tmp_path, [event(0, 4, pitch=0), *triplet, event(8, 12, pitch=7)])
    assert verse.bar.tolist() == [0, 2]
    assert verse.melody.tolist() == [[60] * 16, [67] * 16]
    assert verse.unreadable == {OFF_GRID: 1}


def test_the_first_chord_is_on_the_first_beat_or_the_first_to_begin_and_never_carried_over(tmp_path: Path) -> None:
    events = [chord(0, 6, 0), None, chord(9.5, 10, 5), chord(10, 12, 7), None]
    verse = written(tmp_path, [event(0, 20, pitch=0)], events)
    assert verse.chord.tolist() == [[0] * 4, [0, 0, 24, 24], [24, 24, 7, 7], [24] * 4, [24] * 4]
    assert verse.first_chord.tolist() == [0, 0, 5, 24, 24]


@pytest.mark.parametrize("root", range(12))
def test_every_minor_chord_stays_the_chord_it_is(root: int, tmp_path: Path) -> None:
    verse = written(tmp_path, [event(0, 4, pitch=0)], [chord(0, 2, root, "m"), chord(2, 4, root)])
    minor, major = verse.chord[0, 0], verse.chord[0, 2]
    assert chords.pitch_classes(minor) == (root, (root + 3) % 12, (root + 7) % 12)
    assert chords.pitch_classes(major) == (root, (root + 4) % 12, (root + 7) % 12)


QUALITIES: list[tuple[dict[str, Any], int, int]] = [
    ({"quality": ""}, 2, 2),
    ({"quality": "m"}, 14, 14),
    ({"quality": "maj", "chord_type": 7}, 2, 24),
    ({"quality": "", "chord_type": 7}, 2, 24),
    ({"quality": "o"}, 14, 24),
    ({"quality": "ø", "chord_type": 7}, 14, 24),
    ({"quality": "m", "sus": "sus2"}, 14, 24),
    ({"quality": "", "sus": "sus4"}, 2, 24),
    ({"quality": "+"}, 24, 24),
    ({"quality": None}, 24, 24),
    ({"root": None}, 24, 24),
    ({"root": 12}, 24, 24),
    ({"root": True}, 24, 24),
    ({"root": "2"}, 24, 24),
    ({"root": 2.0}, 2, 2),
]


@pytest.mark.parametrize(("fields", "by_third", "strict"), QUALITIES)
def test_qualities(fields: dict[str, Any], by_third: int, strict: int, tmp_path: Path) -> None:
    events = [chord(0, 4, **{"root": 2, **fields})]
    verse = written(tmp_path, [event(0, 4, pitch=0)], events)
    assert verse.chord.tolist() == [[by_third] * 4]
    assert bool(verse.remarks) == (by_third == 24)
    assert written(tmp_path, [event(0, 4, pitch=0)], events, chord_quality="strict").chord.tolist() == [[strict] * 4]


BAD: dict[str, tuple[Any, str]] = {
    "a list": ([], "no 'metadata'"),
    "no tracks": ({"metadata": {"beats_in_measure": "4"}}, "no 'tracks'"),
    "six beats": (content([event(0, 1, pitch=0)], beats="6"), "not in 4/4: 6 beats"),
    "beats of NaN": (content([event(0, 1, pitch=0)], beats="nan"), "beats_in_measure is 'nan'"),
    "no beats": (content([event(0, 1, pitch=0)], beats=None), "beats_in_measure is 'None'"),
    "no melody": (content([]), "no melody"),
    "only rests": (content([None, {"isRest": True}]), "no melody"),
    "melody of text": (content("la la"), "no list of events"),
    "a number in place of a note": (content([7]), "'7' where an event"),
    "half a semitone": (content([event(0, 1, pitch=0.5)]), "pitch is '0.5'"),
    "pitch as text": (content([event(0, 1, pitch="5")]), "pitch is '5'"),
    "no pitch": (content([event(0, 1)]), "pitch is 'None'"),
    "true as pitch": (content([event(0, 1, pitch=True)]), "pitch is 'True'"),
    "too high": (content([event(0, 1, pitch=68)]), "from -60 to 67"),
    "backwards": (content([event(2, 1, pitch=0)]), "from beat 2 to 1"),
    "before the start": (content([event(-1, 1, pitch=0)]), "from beat -1 to 1"),
    "endless": (content([event(0, 1e9, pitch=0)]), "at most 10,000 bars"),
    "far away chord": (content([event(0, 1, pitch=0)], [chord(1e9, 1e9 + 1, 0)]), "at most 10,000 bars"),
    "infinite": ('{"metadata": {"beats_in_measure": 1e400}, "tracks": {}}', "beats_in_measure is 'inf'"),
    "NaN": ('{"metadata": {"beats_in_measure": NaN}}', "NaN is no number of JSON"),
    "deep": ("[" * 200_000, "nested too deeply|not sound JSON"),
    "huge number": ('{"metadata": {"beats_in_measure": ' + "9" * 5000 + "}}", "not sound JSON"),
    "half": ('{"metadata": {', "not sound JSON"),
    "empty": ("", "not sound JSON"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_section_is_refused_in_one_line(name: str, tmp_path: Path) -> None:
    bad, told = BAD[name]
    (tmp_path / "verse_symbol_nokey.json").write_text(bad if isinstance(bad, str) else json.dumps(bad))
    [skipped] = lead_sheet.read(tmp_path, Item(paths=("verse_symbol_nokey.json",)), Options())
    assert isinstance(skipped, SkippedFile)
    with pytest.raises(UserError, match=told):
        raise UserError(skipped.reason)
    assert "\n" not in skipped.reason


def test_a_bad_section_loses_none_of_its_sisters(tmp_path: Path) -> None:
    (tmp_path / "song").mkdir()
    (tmp_path / "song" / "a_symbol_nokey.json").write_bytes(b"\xff\xfe\x00")
    good = "\ufeff" + json.dumps(content([event(0, 4, pitch=0)], [chord(0, 4, 0)]))
    (tmp_path / "song" / "b_symbol_nokey.json").write_text(good)
    corpus = prepare(SOURCE, tmp_path)
    assert corpus.about["counts"]["bars"] == 1
    assert [item["path"] for item in corpus.about["skipped"]] == ["song/a_symbol_nokey.json"]


def _values() -> st.SearchStrategy[Any]:
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner)
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sheets")


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(["melody", "chord", "root", "quality", "pitch", "event_on", "sus"]), value=_values())
def test_whatever_stands_in_a_field_it_is_read_or_refused(place: str, value: Any, folder: Path) -> None:
    sheet = content([event(0, 2, pitch=1), event(2, 4, pitch=2)], [chord(0, 4, 0)])
    where: Any = sheet["tracks"] if place in sheet["tracks"] else sheet["tracks"]["chord"][0]
    where = sheet["tracks"]["melody"][0] if place in ("pitch", "event_on") else where
    where[place] = value
    (folder / "x_symbol_nokey.json").write_text(json.dumps(sheet))
    [read] = lead_sheet.read(folder, Item(paths=("x_symbol_nokey.json",)), Options())
    assert isinstance(read, RawSong | SkippedFile)
