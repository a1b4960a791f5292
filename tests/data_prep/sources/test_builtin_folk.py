"""The folk tunes inside music21; expected bars were read off the ABC by hand."""

from functools import cache
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.grid import OFF_GRID, OTHER_METRE, PARTIAL
from data_prep.options import Options
from data_prep.song import RawSong, SkippedFile
from data_prep.source import Item, Read
from data_prep.sources.builtin_folk import FOLDERS, SOURCE

D, E, F, G, A, B, c, d, e, f, g = 62, 64, 66, 67, 69, 71, 72, 74, 76, 78, 79  # in a key with F sharp

# Pitch and number of sixteenths, bar by bar from the first full one.
EXPECTED = {
    # "The White Cockade" in G, cut time. Lines break in mid-bar; the eighth bar is written in two halves around a "::".
    "airdsAirs/book1.abc#1": [
        [(B, 4), (B, 4), (B, 4), (A, 2), (G, 2)],
        [(B, 4), (B, 4), (B, 4), (g, 4)],
        [(B, 4), (B, 4), (B, 4), (A, 2), (G, 2)],
        [(A, 2), (G, 2), (A, 2), (B, 2), (A, 4), (G, 2), (A, 2)],
        [(B, 4), (B, 4), (c, 2), (B, 2), (A, 2), (G, 2)],
        [(A, 4), (B, 4), (g, 4), (f, 2), (g, 2)],
        [(a := 81, 4), (g, 2), (f, 2), (g, 4), (f, 2), (e, 2)],
        [(d, 4), (B, 4), (B, 4), (B, 2), (c, 2)],
        [(d, 4), (B, 4), (g, 4), (B, 4)],
    ],
    # "Fare You Well" is in 2/4 and gives none; "The Little Heathy Hill" in G minor: broken rhythms, slurs written "-".
    "oneills1850/0001-0050.abc#3": [
        [(d, 4), (d, 3), (c, 1), (70, 4), (A, 2), (70, 2)],
        [(G, 2), (70, 2), (A, 2), (G, 2), (65, 4), (D, 2), (65, 2)],
        [(G, 3), (A, 1), (G, 2), (65, 2), (D, 3), (60, 1), (D, 2), (65, 2)],
    ],
}


@cache
def root() -> Path:
    try:
        return SOURCE.find(None).root
    except UserError as error:
        pytest.skip(str(error))


@cache
def everything() -> list[Read]:
    return [song for item in SOURCE.find(None).items for song in SOURCE.read(root(), item, SOURCE.defaults)]


def song(name: str) -> RawSong:
    [found] = [
        song
        for song in SOURCE.read(root(), Item(paths=(name.partition("#")[0],)), SOURCE.defaults)
        if isinstance(song, RawSong) and song.id == name
    ]
    return found


def tune(number: int, body: str = "C8|D8|", head: str = "M:4/4\nL:1/8\nK:C") -> str:
    return f"X:{number}\nT:Tune\n{head}\n{body}\n\n"


def read(tmp_path: Path, text: str) -> list[Read]:
    (tmp_path / "tunes.abc").write_text(text)
    return list(SOURCE.read(tmp_path.resolve(), Item(paths=("tunes.abc",)), SOURCE.defaults))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_first_bars_of_real_tunes(name: str) -> None:
    [section] = song(name).sections
    bars = EXPECTED[name]
    assert section.bar[: len(bars)].tolist() == list(range(len(bars)))
    assert section.melody[: len(bars)].tolist() == [
        [pitch for pitch, steps in bar for _ in range(steps)] for bar in bars
    ]
    starts = [np.cumsum([0, *(steps for _, steps in bar)])[:-1] for bar in bars]
    assert section.onset[: len(bars)].tolist() == [sum(1 << int(step) for step in steps) for steps in starts]


def test_every_file_of_the_four_books_is_found_and_no_other() -> None:
    found = SOURCE.find(None)
    paths = [item.paths[0] for item in found.items]
    assert {path.partition("/")[0] for path in paths} == set(FOLDERS)
    assert paths == sorted(
        str(path.relative_to(found.root)) for name in FOLDERS for path in (found.root / name).glob("*.abc")
    )
    assert not SOURCE.takes_path


def test_the_bars_are_as_many_as_an_earlier_count_found() -> None:
    # That count (1,710 tunes, 25,236 bars in common and cut time, 22,712 of them exactly on the grid) came from another
    # reader, which took the further voices of a few tunes for bars as well.
    songs = [song for song in everything() if isinstance(song, RawSong)]
    exact = [len(song.sections[0].bar) for song in songs]
    off = [song.sections[0].unreadable.get(OFF_GRID, 0) for song in songs]
    assert sum(whole > 0 for whole in np.add(exact, off)) == pytest.approx(1710, rel=0.01)
    assert sum(exact) + sum(off) == pytest.approx(25_236, rel=0.01)
    assert sum(exact) == pytest.approx(22_712, rel=0.01)


def test_every_tune_of_the_books_is_a_song_but_two_with_a_misprint_in_their_key() -> None:
    paths = [item.paths[0] for item in SOURCE.find(None).items]
    written = [path for path in paths for line in (root() / path).read_text("utf-8").split("\n") if line[:2] == "X:"]
    songs = {song.id: song for song in everything() if isinstance(song, RawSong)}
    skipped = {song.path: song.reason for song in everything() if isinstance(song, SkippedFile)}
    assert skipped == {
        f"oneills1850/0732-0758_{writer}.abc#745": "its key is 'Bn', whose mode is none that is known."
        for writer in ("bs", "mh")
    }
    assert sorted(name.partition("#")[0] for name in (*songs, *skipped)) == written
    assert all(song.sections[0].path == name.partition("#")[0] for name, song in songs.items())


def test_the_tunes_have_no_chords_and_need_none() -> None:
    [section] = song("airdsAirs/book1.abc#1").sections
    assert (section.chord == NO_CHORD).all()
    assert (section.first_chord == NO_CHORD).all()
    assert section.chord.shape == (len(section.bar), 4)
    assert SOURCE.defaults.chords == "optional"
    assert "chords" not in SOURCE.hears  # there are none to require


def test_the_corpus_of_one_book_and_why_there_is_none_where_chords_are_required() -> None:
    songs = SOURCE.read(root(), Item(paths=("airdsAirs/book1.abc",)), SOURCE.defaults)
    corpus = SOURCE.assemble(songs, SOURCE.defaults, source=SOURCE.name, hears=SOURCE.hears, versions=SOURCE.versions())
    assert isinstance(corpus, Corpus)
    assert corpus.num_bars > 200
    assert (corpus.chord == NO_CHORD).all()
    assert list(corpus.about["versions"]) == ["music21"]
    data = (root() / "airdsAirs/book1.abc").read_bytes()
    assert corpus.about["inputs"] == {"airdsAirs/book1.abc": sha256(data).hexdigest()}
    with pytest.raises(UserError, match="no chord in it"):
        SOURCE.assemble(songs, Options(), source=SOURCE.name, versions={})


def test_common_and_cut_time_are_taken_and_other_metres_told(tmp_path: Path) -> None:
    heads = {metre: f"M:{metre}\nL:1/8\nK:C" for metre in ("4/4", "C", "C|", "2/2", "2/4", "6/8")}
    songs = read(tmp_path, "".join(tune(place, "C8|D6 E2|", head) for place, head in enumerate(heads.values())))
    bars = [len(song.sections[0].bar) for song in songs if isinstance(song, RawSong)]
    assert dict(zip(heads, bars, strict=True)) == {"4/4": 2, "C": 2, "C|": 2, "2/2": 2, "2/4": 0, "6/8": 0}
    assert isinstance(songs[-1], RawSong)
    assert songs[-1].sections[0].unreadable == {OTHER_METRE: 2}


def test_faulty_bars_are_left_out_and_counted(tmp_path: Path) -> None:
    [song] = read(tmp_path, tune(1, "G2|C8|C9|(3CDE C6|C6|D8|E/C//D// C7|F8|"))
    assert isinstance(song, RawSong)
    assert song.sections[0].bar.tolist() == [0, 4, 6]
    assert song.sections[0].melody[:, 0].tolist() == [60, 62, 65]
    assert song.sections[0].unreadable == {OFF_GRID: 2, PARTIAL: 2}


def test_tunes_of_one_number_get_names_of_their_own(tmp_path: Path) -> None:
    songs = read(tmp_path, tune(2) + tune(2, "E8|") + tune(1, head="K:Q") + tune(1) + tune(2))
    names = [song.path if isinstance(song, SkippedFile) else song.id for song in songs]
    assert names == ["tunes.abc#2", "tunes.abc#2.2", "tunes.abc#1", "tunes.abc#1.2", "tunes.abc#2.3"]
    assert [type(song) for song in songs] == [RawSong, RawSong, SkippedFile, RawSong, RawSong]


def test_a_tune_beyond_the_limits_is_skipped_alone(tmp_path: Path) -> None:
    songs = read(tmp_path, tune(1) + tune(2, "C8|" * 10_001) + tune(3))
    assert [type(song) for song in songs] == [RawSong, SkippedFile, RawSong]
    assert isinstance(songs[1], SkippedFile)
    assert songs[1] == SkippedFile(path="tunes.abc#2", reason="over 10000 bars; that is no tune.")


def test_a_tune_of_too_many_notes_at_once_is_skipped_alone(tmp_path: Path) -> None:
    chords = ("[" + "CDEFGAB" * 140 + "]8|") * 300
    songs = read(tmp_path, tune(1) + tune(2, chords) + tune(3))
    assert [type(song) for song in songs] == [RawSong, SkippedFile, RawSong]
    assert isinstance(songs[1], SkippedFile)
    assert "too many notes at once" in songs[1].reason


def test_a_reason_is_one_printable_line(tmp_path: Path) -> None:
    [song] = read(tmp_path, "X:1\nK:Q\x1b[31m\x07\n")
    assert isinstance(song, SkippedFile)
    assert song.reason.isprintable()


def test_a_file_without_a_tune_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no tune in it"):
        read(tmp_path, "no music")
