from typing import Any

import numpy as np
import pytest

from data_prep.assemble import assemble
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.options import BARS, Options
from data_prep.song import RawSong, Section, SkippedFile
from data_prep.splits import Shares, cluster_of, splits_of


def section(path: str, bars: list[int], **changed: Any) -> Section:
    """Bars with a note on every beat, a scale from bar to bar."""
    num_bars = len(bars)
    fields: dict[str, Any] = {
        "path": path,
        "inputs": {path: "0"},
        "bar": np.array(bars, np.int32),
        "melody": np.add.outer(np.array(bars), np.arange(4).repeat(4)).astype(np.int8) + 60,
        "onset": np.full(num_bars, 0b1000100010001, np.uint16),
        "chord": np.zeros((num_bars, 4), np.int8),
        "first_chord": np.zeros(num_bars, np.int8),
    }
    return Section(**{**fields, **changed})


def song(name: str, *bars: int, **changed: Any) -> RawSong:
    return RawSong(id=name, sections=(section(f"{name}.xml", list(bars), **changed),))


def corpus_of(*songs: RawSong | SkippedFile, **options: Any) -> Corpus:
    hears = (*BARS, *(name for name in options if name not in BARS))
    return assemble(songs, Options(**options), source="test", hears=hears, versions={})


def test_prev_links_direct_neighbours_of_one_section_only() -> None:
    two = RawSong(id="b", sections=(section("b/verse", [0, 1]), section("b/chorus", [2, 3])))
    corpus = corpus_of(song("a", 0, 1, 3, 4), two)
    assert corpus.prev.tolist() == [-1, 0, -1, 2, -1, 4, -1, 6]
    assert corpus.song.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert corpus.bar.tolist() == [0, 1, 3, 4, 0, 1, 2, 3]
    assert corpus.about["songs"][1]["sections"] == [
        {"path": "b/verse", "first_row": 4, "num_bars": 2},
        {"path": "b/chorus", "first_row": 6, "num_bars": 2},
    ]


def test_silent_and_chordless_bars_are_dropped_counted_and_break_the_chain() -> None:
    melody, first_chord = section("", [0, 1, 2, 3, 4]).melody.copy(), np.zeros(5, np.int8)
    melody[1], first_chord[3] = -1, NO_CHORD
    onset = np.where(np.arange(5) == 1, 0, 1).astype(np.uint16)
    raw = song("a", 0, 1, 2, 3, 4, melody=melody, onset=onset, first_chord=first_chord, unreadable={"x": 2})
    corpus = corpus_of(raw, SkippedFile(path="z", reason="bad"), song("silent", 0, first_chord=np.array([24])))
    assert corpus.bar.tolist() == [0, 2, 4]
    assert corpus.prev.tolist() == [-1, -1, -1]
    assert corpus.about["counts"]["dropped_bars"] == {"no chord in it": 2, "no note in it": 1, "x": 2}
    assert [item["path"] for item in corpus.about["skipped"]] == ["silent", "z"]


def test_rests_are_filled_from_the_bar_before_but_not_over_a_gap() -> None:
    melody = np.full((4, 16), -1, np.int8)
    melody[0, 4:8], melody[2, 8], melody[3, 8] = 60, 62, 64
    onset = np.array([1 << 4, 0, 1 << 8, 1 << 8], np.uint16)
    raw = song("a", 0, 1, 2, 7, melody=melody, onset=onset)
    filled, kept = corpus_of(raw), corpus_of(raw, rests="keep")
    assert filled.melody.tolist() == [[60] * 16, [60] * 8 + [62] * 8, [64] * 16]
    assert filled.onset.tolist() == [1, 1 << 8, 1]
    assert kept.melody.tolist() == melody[[0, 2, 3]].tolist()
    assert kept.onset.tolist() == onset[[0, 2, 3]].tolist()
    assert kept.about["options"]["rests"] == "keep"


def test_silent_bars_before_the_first_note_take_no_onset_away() -> None:
    melody = np.full((3, 16), -1, np.int8)
    melody[1, 12:], melody[2] = 60, 65
    corpus = corpus_of(song("a", 0, 1, 2, melody=melody, onset=np.array([0, 1 << 12, 1], np.uint16)))
    assert corpus.melody.tolist() == [[60] * 16, [65] * 16]
    assert corpus.onset.tolist() == [1, 1]


def test_a_pick_up_tells_no_two_settings_of_a_tune_apart() -> None:
    melody, onset = section("", [0, 1, 2]).melody.copy(), section("", [0, 1, 2]).onset.copy()
    melody[0], onset[0] = -1, 1 << 12
    melody[0, 12:] = 55
    padded = song("a", 0, 1, 2, melody=melody, onset=onset)
    assert cluster_of(padded) == cluster_of(song("b", 1, 2))


def test_nothing_usable_is_a_clear_error() -> None:
    with pytest.raises(UserError, match=r"Nothing usable in 3 files: bad \(2\); no usable bar: no chord in it \(1\)"):
        corpus_of(*(SkippedFile(path=name, reason="bad") for name in "yz"), song("a", 0, first_chord=np.array([24])))
    with pytest.raises(UserError, match="No music of this kind there"):
        corpus_of()


def test_a_tune_in_another_key_is_the_same_cluster_and_a_short_one_its_own() -> None:
    high = section("", [0, 1]).melody + np.int8(5)
    first, second = song("a", 0, 1), song("b", 0, 1, melody=high)
    assert cluster_of(first) == cluster_of(second) == "+1 +1 +1 -2 +1 +1"
    assert cluster_of(song("c", 0)) == "song c"
    assert len(set(corpus_of(first, second).split.tolist())) == 1


def test_adding_songs_moves_no_other_song() -> None:
    songs = [song(f"song {i}", 0) for i in range(900)]
    few, many = corpus_of(*songs[::3]), corpus_of(*songs)
    assert (few.split == many.split[::3]).all()


@pytest.mark.parametrize("seed", range(5))
def test_a_handful_of_songs_still_has_some_to_judge_by_and_prompts_to_begin_with(seed: int) -> None:
    corpus = corpus_of(*(song(f"song {i}", 0) for i in range(4)), seed=seed)
    assert sorted(corpus.split.tolist()) == [0, 1, 2, 3]
    assert corpus_of(song("a", 0), song("b", 0), seed=seed).split.tolist().count(Split.TRAIN) == 1
    assert corpus_of(song("a", 0), seed=seed).split.tolist() != []


@pytest.mark.parametrize("seed", range(5))
def test_a_song_too_short_for_phrases_is_no_song_to_judge_by(seed: int) -> None:
    short = [song(f"short {i}", 0) for i in range(9)]
    tunes = np.random.default_rng(seed).integers(60, 72, (4, 9, 4)).repeat(4, axis=2).astype(np.int8)
    long = [song(f"long {i}", *range(9), melody=tune) for i, tune in enumerate(tunes)]
    corpus = corpus_of(*short, *long, seed=seed)
    assert all(len(corpus.phrases(split)) > 1 for split in Split)


@pytest.mark.parametrize("seed", range(9))
def test_three_songs_are_enough_for_a_search_which_needs_none_to_test_on(seed: int) -> None:
    corpus = corpus_of(*(song(f"song {i}", 0) for i in range(3)), seed=seed)
    assert sorted(corpus.split.tolist()) == [Split.TRAIN, Split.VALIDATION, Split.PROMPTS]


def test_no_split_is_filled_that_nobody_wants() -> None:
    shares = Shares(validation=0.2, test=0, prompts=0)
    assert set(corpus_of(*(song(f"song {i}", 0) for i in range(9)), shares=shares).split.tolist()) == {0, 1}


def test_bars_without_a_chord_stay_where_chords_are_optional() -> None:
    raw = song("a", 0, 1, 2, first_chord=np.array([0, 24, 24]))
    assert corpus_of(raw, chords="optional").bar.tolist() == [0, 1, 2]
    assert corpus_of(raw).bar.tolist() == [0]


@pytest.mark.parametrize(("moved", "folded"), [(0, 0), (12, 12), (-24, 0), (3, 3), (40, 16), (-37, 11)])
def test_folding_moves_a_song_by_octaves_into_c4_to_b5(moved: int, folded: int) -> None:
    melody = section("", [0, 1]).melody
    corpus = corpus_of(song("a", 0, 1, melody=melody + np.int8(moved)), octave="fold")
    assert (corpus.melody - melody == folded).all()
    assert corpus.melody.min() >= 60
    assert corpus.melody.max() <= 83


def test_folding_keeps_contours_and_silence_of_a_song_wider_than_two_octaves() -> None:
    melody = np.repeat(np.array([[40, 45, -1, 70]], np.int8), 4, axis=1)
    raw = song("a", 0, melody=melody, onset=np.array([0b1000000010001], np.uint16))
    low = corpus_of(raw, octave="fold", rests="keep").melody
    assert low.tolist() == np.repeat([[64, 69, -1, 94]], 4, axis=1).tolist()


def test_sections_of_one_song_are_folded_together() -> None:
    high, low = section("verse", [0], melody=np.full((1, 16), 84, np.int8)), section("chorus", [0, 1, 2])
    corpus = corpus_of(RawSong(id="a", sections=(high, low)), octave="fold")
    assert corpus.melody[0].tolist() == [84] * 16


def test_a_doubtful_song_is_told_of_or_left_out() -> None:
    doubtful = RawSong(id="b", sections=song("b", 0).sections, doubt="bar lines askew")
    assert corpus_of(song("a", 0), doubtful).about["doubts"] == {"b": "bar lines askew"}
    without = corpus_of(song("a", 0), doubtful, doubtful="leave-out")
    assert without.num_songs == 1
    assert without.about["skipped"] == [{"path": "b", "reason": "bar lines askew"}]


def test_two_songs_of_one_name_are_not_mistaken_for_one() -> None:
    corpus = corpus_of(song("a", 0), song("a", 0, 1))
    assert corpus.num_bars == 1
    assert corpus.about["skipped"] == [{"path": "a", "reason": "another song has the same name"}]


def test_remarks_of_all_sections_are_added_up() -> None:
    corpus = corpus_of(song("a", 0, remarks={"x": 2}), song("b", 0, remarks={"x": 1, "y": 1}))
    assert corpus.about["counts"]["remarks"] == {"x": 3, "y": 1}


def test_shares_are_met_and_seeds_differ() -> None:
    shares = Shares(validation=0.2, test=0.1, prompts=0.05)
    tunes = [str(i) for i in range(4000)]
    splits = [list(splits_of(tunes, seed, shares).values()) for seed in (0, 1)]
    assert splits[0] != splits[1]
    for split, share in ((Split.VALIDATION, 0.2), (Split.TEST, 0.1), (Split.PROMPTS, 0.05), (Split.TRAIN, 0.65)):
        assert splits[0].count(split) / 4000 == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("shares", [(-0.1, 0.1), (0.6, 0.5), (float("nan"), 0.1)])
def test_impossible_shares_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(UserError, match="Shares of"):
        Shares(validation=shares[0], test=shares[1])


def test_an_unknown_way_with_rests_is_refused() -> None:
    with pytest.raises(UserError, match="'fill' or 'keep'"):
        Options(rests="drop")  # type: ignore[arg-type]
