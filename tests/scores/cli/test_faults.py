"""What is wrong, in words."""

import pytest

from scores.cli.faults import MOST, SILENCE, WORDS, Difference, find_faults, verdict
from scores.features import FEATURES
from scores.objective import BaseLine
from scores.registry import SCORES

FAR = {f"med_{family}": 0.5 for family in ("pitch", "motion", "rhythm", "harmony", "structure")}


def off(score: str, difference: float | None, generated: float = 0.9, reference: float = 0.5) -> Difference:
    return Difference(score, generated, reference, difference)


def told(*differences: Difference, report: dict[str, float] = FAR, base: BaseLine | None = None) -> list[str]:
    return [fault.words for fault in find_faults(differences, report, base or BaseLine())]


def test_every_feature_of_the_objective_has_words_of_its_family() -> None:
    for feature in FEATURES.values():
        assert WORDS[feature.score].family == feature.family


def test_words_are_of_scores_there_are() -> None:
    for name in WORDS:
        assert SCORES[name].set is None


def test_too_much_and_too_little_mean_different_things() -> None:
    for words in WORDS.values():
        assert words.too_much != words.too_little


@pytest.mark.parametrize(
    ("score", "difference", "heard"),
    [
        ("note_count", 1.0, "unpleasantly rapid"),
        ("note_count", -1.0, "lack of melody notes"),
        ("mctd", 1.0, "discordant"),
        ("chord_tone_rate", -1.0, "discordant"),
        ("distinct_bar_ratio", -1.0, "the same bar over and over"),
        ("copy_prev_rate", 1.0, "the same bar over and over"),
        ("mean_abs_interval", 1.0, "abrupt leaps"),
        ("pitch_range", 1.0, "low-pitched and high-pitched notes"),
    ],
)
def test_scores_speak_in_the_paper_s_words(score: str, difference: float, heard: str) -> None:
    (words,) = told(off(score, difference))
    assert heard in words


@pytest.mark.parametrize("difference", [0.5, -0.5, 0.0, None])
def test_a_small_difference_is_no_fault(difference: float | None) -> None:
    assert told(off("note_count", difference)) == []


def test_a_family_that_is_as_real_has_no_faults() -> None:
    assert told(off("note_count", 3.0), report={"med_rhythm": 0.02}) == []
    assert told(off("note_count", 3.0), report={}) == []
    assert told(off("note_count", 3.0), report={"med_rhythm": 0.021}) != []


def test_a_share_must_be_off_by_more_than_a_trifle() -> None:
    assert told(off("rest_rate", 6.0, 0.02, 0.0)) == []
    assert told(off("rest_rate", 6.0, 0.06, 0.0)) != []


def test_the_same_words_come_once_for_the_worst_score() -> None:
    (fault,) = find_faults([off("mean_duration", -1.0), off("note_count", 2.0)], FAR, BaseLine())
    assert fault.shown_by.score == "note_count"
    assert fault.told == "note_count 0.9, in the reference 0.5, +2.0 sd"


def test_the_worst_come_first_and_no_more_than_eight() -> None:
    differences = [off(name, 1 + place / 10) for place, name in enumerate(WORDS)]
    faults = find_faults(differences, FAR, BaseLine())
    sizes = [fault.shown_by.difference for fault in faults]
    assert len(faults) == MOST
    assert sizes == sorted(sizes, key=lambda size: -(size or 0))
    assert sizes[0] == pytest.approx(1 + (len(WORDS) - 1) / 10)


def test_copies_come_first_if_real_music_has_fewer() -> None:
    report = FAR | {"near_copy_rate": 0.5, "dup_rate": 0.3}
    assert "copied" in told(off("note_count", 6.0), report=report, base=BaseLine(dup_rate=0.3))[0]
    assert told(report=report, base=BaseLine(near_copy_rate=0.46, dup_rate=0.26)) == []


def test_silence_is_all_there_is_to_say() -> None:
    assert told(off("rest_rate", 6.0, 1.0, 0.1), off("note_count", -6.0, 0.0, 5.0)) == [SILENCE]


def test_the_verdict_grows_worse() -> None:
    heard = [verdict({"realism": value, "objective": value}) for value in (-0.001, 0.03, 0.08, 0.25, 0.5, 0.75, 1.0)]
    assert len(set(heard)) == len(heard)
    assert all("about" in words for words in heard)
    assert "noise" in heard[0]
    assert "Markov" in heard[2]
    assert "random order" in heard[3]
    assert "random notes" in heard[5]


def test_the_verdict_tells_copies_apart() -> None:
    assert "0.500 of it is for copies" in verdict({"realism": 0.01, "objective": 0.51})
    assert "copies" not in verdict({"realism": 0.01, "objective": 0.01})
