"""Two sets of music against each other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from data_prep.bars import piano_roll
from data_prep.errors import UserError
from scores.cli.compare import Comparison, compare
from scores.cli.difference import MOST
from scores.cli.music_set import MusicSet
from scores.copying import TrainingWindows
from scores.features import FAMILIES

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]
Spoil = Callable[[np.ndarray, float, int], np.ndarray]


def music(lines: np.ndarray, chords: np.ndarray, name: str = "set") -> MusicSet:
    return MusicSet(name=name, roll=piano_roll(lines), chord=chords)


@pytest.fixture(scope="module")
def real(songbook: Songbook) -> MusicSet:
    return music(*songbook(200, 0), "real")


@pytest.fixture(scope="module")
def others(songbook: Songbook) -> tuple[np.ndarray, np.ndarray]:
    return songbook(100, 1)


def words(found: Comparison) -> str:
    return "; ".join(fault.words for fault in found.faults)


def test_more_of_the_same_music_has_no_faults(real: MusicSet, others: tuple[np.ndarray, np.ndarray]) -> None:
    found = compare(music(*others), real)
    assert abs(found.report["objective"]) < 0.02
    assert found.faults == ()


def test_wrong_notes_are_heard_as_wrong(
    real: MusicSet, others: tuple[np.ndarray, np.ndarray], wrong_notes: Spoil
) -> None:
    lines, chords = others
    objectives = []
    for share in (0.05, 0.2, 0.6):
        found = compare(music(wrong_notes(lines, share, 0), chords), real)
        objectives.append(found.report["objective"])
    assert objectives == sorted(objectives)
    assert "unpleasantly rapid" in words(found)
    assert "discordant" in words(found)
    assert "abrupt leaps" in words(found)


def test_one_bar_for_all_is_heard_as_one(real: MusicSet, others: tuple[np.ndarray, np.ndarray]) -> None:
    lines, chords = others
    found = compare(music(np.repeat(lines[:, :1], 8, axis=1), chords), real)
    assert found.report["med_structure"] > 0.5
    assert "the same bar over and over" in words(found)


def test_one_phrase_for_all_is_heard_first(real: MusicSet, others: tuple[np.ndarray, np.ndarray]) -> None:
    lines, chords = others
    found = compare(music(np.repeat(lines[:1], 50, axis=0), chords[:50]), real)
    assert found.faults[0].shown_by.score == "dup_rate"


def test_copies_of_the_training_songs_are_found(real: MusicSet, songbook: Songbook) -> None:
    lines, chords = songbook(100, 5)
    training = TrainingWindows.of_lines(np.concatenate([lines[:, start : start + 4] for start in range(5)]))
    found = compare(music(lines, chords), replace(real, training=training))
    assert found.report["near_copy_rate"] > 0.9
    assert found.base.near_copy_rate < 0.5
    assert found.faults[0].shown_by.score == "near_copy_rate"
    blind = compare(music(lines, chords), real)
    assert "near_copy_rate" not in blind.report
    assert any("copies of them are not looked for" in remark for remark in blind.remarks)


@pytest.mark.parametrize("bare", ["generated", "reference", "both"])
def test_without_chords_on_a_side_harmony_is_not_compared(
    bare: str, real: MusicSet, others: tuple[np.ndarray, np.ndarray]
) -> None:
    lines, chords = others
    none = np.full_like(chords, 24)
    generated = music(lines, none if bare != "reference" else chords, "made")
    reference = real if bare == "generated" else replace(real, chord=np.full_like(real.chord, 24))
    found = compare(generated, reference)
    assert "med_harmony" not in found.report
    assert not {"chord_tone_rate", "pcs", "mctd", "ctnctr"} & {row.score for row in found.differences}
    names = {"generated": "made", "reference": "real", "both": "made and real"}[bare]
    assert f"no chords in {names}: harmony is not compared" in found.remarks
    assert abs(found.report["objective"]) < 0.02


def test_silence_is_told_as_silence(real: MusicSet, others: tuple[np.ndarray, np.ndarray]) -> None:
    found = compare(music(np.full_like(others[0], -1), others[1]), real)
    assert "not a note in it" in words(found)
    assert all(np.isfinite(value) for value in found.report.values())
    undefined = [row for row in found.differences if row.difference is None]
    assert undefined
    assert list(found.differences[-len(undefined) :]) == undefined


def test_differences_are_in_deviations_of_the_reference_the_largest_first(
    real: MusicSet, others: tuple[np.ndarray, np.ndarray]
) -> None:
    lines, chords = others
    found = compare(music(np.where(lines < 0, -1, lines + 5).astype(np.int8), chords), real)
    cells = np.where(real.roll, np.arange(128), 0).sum(axis=(2, 3)) / real.roll.sum(axis=(2, 3))  # bars all sound
    pitch = cells.mean(axis=1)
    row = next(row for row in found.differences if row.score == "mean_pitch")
    assert row.reference == pytest.approx(pitch.mean())
    assert row.generated is not None
    assert row.difference == pytest.approx((row.generated - pitch.mean()) / pitch.std())
    assert row.difference > 0.5
    sizes = [abs(row.difference) for row in found.differences if row.difference is not None]
    assert sizes == sorted(sizes, reverse=True)
    assert max(sizes) <= MOST


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_phrases_are_refused(count: int, real: MusicSet, songbook: Songbook) -> None:
    lines, chords = songbook(2, 0)
    few = music(lines[:count], chords[:count], "few")
    for pair in ((few, real), (real, few)):
        with pytest.raises(UserError, match="few: too few phrases"):
            compare(*pair)


def test_two_phrases_are_enough_and_said_to_be_few(real: MusicSet, songbook: Songbook) -> None:
    lines, chords = songbook(2, 0)
    few = music(lines, chords)
    for found in (compare(few, real), compare(real, few), compare(few, few)):
        assert all(np.isfinite(value) for value in found.report.values())
        assert {f"med_{family}" for family in FAMILIES} <= set(found.report)
        assert any("fewer than 64 phrases" in remark for remark in found.remarks)


def test_phrases_that_the_reference_has_are_counted(real: MusicSet, others: tuple[np.ndarray, np.ndarray]) -> None:
    lines, chords = others
    some = replace(real, roll=np.concatenate([real.roll[5:8], piano_roll(lines[:80])]), chord=real.chord[:83])
    remarks = compare(replace(some, roll=some.roll[2:], chord=some.chord[2:]), real).remarks
    assert "1 of the generated phrases stands in the reference as it is" in remarks
    assert "3 of the generated phrases stand in the reference as they are" in compare(some, real).remarks
    assert not any("as they are" in remark for remark in compare(music(lines, chords), real).remarks)


def test_the_same_data_on_both_sides_is_said_to_be_that(real: MusicSet) -> None:
    here, there = replace(real, place=Path("/a")), replace(real, place=Path("/b"))
    said = "both sides are the same data: copies are what it consists of"
    assert said in compare(here, here).remarks
    assert said not in compare(here, there).remarks
    assert said not in compare(real, real).remarks  # nobody knows where they come from


def test_rests_that_were_filled_on_one_side_are_told(real: MusicSet, others: tuple[np.ndarray, np.ndarray]) -> None:
    lines, chords = others
    filled = replace(real, rests_filled=True)
    resting = music(lines, chords, "resting")
    assert (lines < 0).any()

    def told(generated: MusicSet, reference: MusicSet) -> list[str]:
        return [remark for remark in compare(generated, reference).remarks if "filled" in remark]

    (one,), (other,) = told(resting, filled), told(filled, resting)
    assert one == other
    assert one.startswith("rests of real were filled with the note before them, those of resting were not")
    assert told(resting, real) == told(replace(resting, rests_filled=True), filled) == []
    assert told(music(np.where(lines < 0, 60, lines).astype(np.int8), chords), filled) == []


def test_a_scale_that_the_music_is_not_in_is_not_compared(
    real: MusicSet, others: tuple[np.ndarray, np.ndarray]
) -> None:
    assert "pitch_in_scale_rate" not in {row.score for row in compare(music(*others), real).differences}


def test_noise_is_spoken_of_only_where_there_are_many_phrases(real: MusicSet, songbook: Songbook) -> None:
    for count, heard in ((63, False), (64, True)):
        few = replace(real, roll=real.roll[:count], chord=real.chord[:count])
        assert ("are noise" in compare(few, real).verdict) is heard
        assert any("fewer than 64" in remark for remark in compare(few, real).remarks) is not heard


def test_what_the_reference_reaches_is_measured_by_its_other_songs(songbook: Songbook) -> None:
    lines, chords = songbook(120, 1)
    twice = replace(music(np.repeat(lines, 2, 0), np.repeat(chords, 2, 0)), song=np.repeat(np.arange(120), 2))
    others = music(*songbook(120, 3))
    aware, unaware = (compare(others, reference).base.recall for reference in (twice, replace(twice, song=None)))
    assert aware < unaware - 0.05  # whose every phrase has its like
