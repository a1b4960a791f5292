"""The built-in corpus; expected bars and counts were worked out with music21's own parser."""

import importlib
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from data_prep.chords import name
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.kinds import save
from data_prep.options import Options
from data_prep.prepare import prepare
from data_prep.song import RawSong
from data_prep.source import Item
from data_prep.sources import SOURCES, builtin
from data_prep.store import ABOUT_FILE, ARRAYS_FILE, FORMAT

# Pitch and number of sixteenths, bar by bar from the first full one.
EXPECTED = {
    # A horn part comes first; the tune is the soprano's; a pick-up begins it.
    "bach/bwv1.6.mxl": [
        [(72, 4), (69, 4), (65, 4), (72, 4)],
        [(74, 8), (72, 8)],
        [(74, 4), (76, 4), (77, 4), (76, 4)],
        [(74, 8), (72, 4), (69, 4)],
    ],
    "bach/bwv227.1.mxl": [
        [(71, 8), (69, 4), (67, 4)],
        [(66, 8), (64, 8)],
        [(71, 4), (73, 4), (74, 4), (71, 4)],
        [(76, 8), (75, 8)],
        [(76, 2), (78, 2), (79, 4), (78, 8)],
        [(76, 16)],
    ],
    # Its fifth bar is written as two short ones, with a repeat between them.
    "bach/bwv103.6.mxl": [
        [(69, 4), (71, 4), (69, 4), (74, 4)],
        [(74, 4), (73, 4), (74, 8)],
        [(73, 4), (71, 4), (76, 4), (74, 2), (73, 2)],
        [(73, 8), (71, 8)],
        [(71, 6), (73, 1), (74, 1), (73, 2), (71, 2), (69, 4)],
    ],
    # Ties over bar lines, of which only the start is marked.
    "monteverdi/madrigal.3.1.mxl": [
        [(69, 12), (72, 4)],
        [(72, 12), (74, 4)],
        [(72, 8), (74, 4), (70, 4)],
        [(69, 16)],
        [(67, 4), (70, 2), (72, 2), (74, 6), (70, 2)],
    ],
}


def piece(path: str) -> RawSong:
    [song] = builtin.read(builtin.corpus_folder(builtin.FOLDERS), Item(paths=(path,)), Options())
    return song


@pytest.mark.parametrize("path", sorted(EXPECTED))
def test_the_first_bars_of_real_pieces(path: str) -> None:
    song = piece(path)
    bars = [[pitch for pitch, steps in bar for _ in range(steps)] for bar in EXPECTED[path]]
    assert song.sections[0].bar[: len(bars)].tolist() == list(range(len(bars)))
    assert song.sections[0].melody[: len(bars)].tolist() == bars


def test_the_chords_of_a_chorale_as_a_musician_hears_them() -> None:
    song = piece("bach/bwv1.6.mxl")
    heard = [" ".join(name(chord) for chord in bar) for bar in song.sections[0].chord[:5].tolist()]
    assert heard == ["C F Dm F", "Bb Bb F F", "Bb Em Dm C", "Dm G C F", "Bb Am Gm F"]


def test_onsets_tell_a_repeated_note_from_a_held_one() -> None:
    song = piece("bach/bwv227.1.mxl")
    assert song.sections[0].melody[0, :8].tolist() == [71] * 8
    assert [f"{bits:016b}" for bits in song.sections[0].onset[:2]] == ["0001000100010001", "0000000100000001"]


def test_a_file_without_a_tune_is_skipped_with_its_reason() -> None:
    with pytest.raises(UserError, match="no soprano or canto part"):
        piece("bach/bwv846.mxl")


def test_what_was_left_out_is_listed_with_its_reason(builtin_corpus: Corpus) -> None:
    skipped = {item["path"]: item["reason"] for item in builtin_corpus.about["skipped"]}
    assert skipped["bach/bwv846.mxl"] == "no soprano or canto part"
    assert skipped["bach/bwv11.6"] == "no usable bar: not in 4/4"
    assert len(skipped) == 46


def test_the_whole_corpus_has_the_counts_that_the_documentation_states(builtin_corpus: Corpus) -> None:
    if builtin_corpus.about["versions"]["music21"] != "10.5.1":
        pytest.skip("counts are those of music21 10.5.1")
    assert (builtin_corpus.num_songs, builtin_corpus.num_bars) == (413, 8075)
    assert builtin_corpus.about["counts"]["dropped_bars"] == {
        "no chord in it": 1,
        "no note in it": 574,
        "not in 4/4": 1092,
        "off the 16-step grid": 9,
        "partial bar": 213,
    }
    sounding = builtin_corpus.melody[builtin_corpus.melody >= 0]
    assert (sounding.min(), sounding.max()) == (57, 82)


def test_other_bytes_need_another_format(builtin_corpus: Corpus) -> None:
    """Prepared corpora are cached by their format: whoever changes what is read, and so this, raises it."""
    if builtin_corpus.about["versions"]["music21"] != "10.5.1":
        pytest.skip("the bars are those of music21 10.5.1")
    assert (FORMAT, builtin_corpus.digest[:16]) == (2, "c6f9ceb2390fde00")


def test_every_split_has_enough_phrases_to_score(builtin_corpus: Corpus) -> None:
    assert len(builtin_corpus.phrases(Split.VALIDATION)) >= 256
    assert len(builtin_corpus.phrases(Split.TEST)) >= 256
    prompts = builtin_corpus.phrases(Split.PROMPTS)
    assert len(prompts) >= 40
    assert len(set(builtin_corpus.song[prompts[:, 0]].tolist())) >= 4
    assert len(builtin_corpus.rows(Split.TRAIN)) > 0.7 * builtin_corpus.num_bars


def test_no_tune_is_in_two_splits_in_any_key(builtin_corpus: Corpus) -> None:
    clusters, openings = defaultdict(set), defaultdict(set)
    starts = (builtin_corpus.onset[:, None] >> np.arange(16, dtype=np.uint16) & 1).astype(bool)
    for row, song in enumerate(builtin_corpus.about["songs"]):
        clusters[song["cluster"]].add(song["split"])
        bars = builtin_corpus.song == row
        notes = builtin_corpus.melody[bars][starts[bars]].astype(int)[:14]
        openings[tuple(np.diff(notes))].add(song["split"])
    assert max(map(len, clusters.values())) == 1
    assert max(map(len, openings.values())) == 1
    assert len(openings) < builtin_corpus.num_songs - 100


def test_prev_links_only_the_bar_directly_before(builtin_corpus: Corpus) -> None:
    linked = np.flatnonzero(builtin_corpus.prev >= 0)
    before = builtin_corpus.prev[linked]
    assert (builtin_corpus.song[before] == builtin_corpus.song[linked]).all()
    assert (builtin_corpus.bar[before] == builtin_corpus.bar[linked] - 1).all()
    assert (builtin_corpus.melody >= 0).all()


def test_one_process_and_two_give_the_same_bytes_and_tell_of_progress(builtin_folder: Path, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    save(prepare(SOURCES["builtin"], jobs=1, progress=lambda *numbers: heard.append(numbers)), tmp_path)
    assert heard == [(done, 459) for done in range(1, 460)]
    for file in (ARRAYS_FILE, ABOUT_FILE):
        assert (tmp_path / file).read_bytes() == (builtin_folder / file).read_bytes()


def test_without_music21_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("data_prep.sources.builtin.find_spec", lambda _: None)
    with pytest.raises(UserError, match="pip install music21"):
        prepare(SOURCES["builtin"])


def test_music21_is_found_but_never_imported() -> None:
    import subprocess
    import sys

    code = (
        "import sys, data_prep.__main__, data_prep.locate; from data_prep.sources import SOURCES;"
        "source = SOURCES['builtin']; found = source.find(None);"
        "source.read(found.root, found.items[0], source.defaults);"
        "print([m for m in ('music21', 'torch', 'ray', 'optuna') if m in sys.modules])"
    )
    root = Path(importlib.import_module("data_prep").__path__[0]).parent
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
