"""What is wrong, in words."""

import pytest

from scores.cli.difference import Difference
from scores.cli.faults import MOST, SILENCE, find_faults
from scores.cli.words import WORDS, contrary
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


@pytest.mark.parametrize(
    ("larger", "smaller"),
    [
        (("polyphony", -3.0), ("polyphonic_rate", 2.0)),
        (("distinct_bar_ratio", 3.0), ("pc_similarity_prev", 2.0)),
        (("note_count", 3.0), ("rest_rate", 2.0)),
        (("mean_pitch", -3.0), ("mean_pitch", 2.0)),
        (("pitch_range", 3.0), ("phrase_range", -2.0)),
        (("pitch_count", 3.0), ("pitch_entropy", -2.0)),
        (("join_interval", -3.0), ("mean_abs_interval", 2.0)),
        (("off_eighth_rate", 3.0), ("on_beat_rate", 2.0)),
        (("mctd", 3.0), ("chord_tone_rate", 2.0)),
    ],
)
def test_of_two_opposites_the_larger_is_named(larger: tuple[str, float], smaller: tuple[str, float]) -> None:
    alone = told(off(*smaller))
    assert len(alone) == 1
    both = told(off(*smaller), off(*larger))
    assert both == told(off(*larger))
    assert both != alone


def test_too_much_and_too_little_of_a_score_are_never_said_together() -> None:
    for words in WORDS.values():
        if words.too_much and words.too_little:
            assert words.too_much in contrary(words.too_little)
            assert words.too_little in contrary(words.too_much)


def test_no_words_contradict_themselves() -> None:
    every = {each for words in WORDS.values() for each in (words.too_much, words.too_little) if each}
    assert not [each for each in every if each in contrary(each)]


@pytest.mark.parametrize(("difference", "slightly"), [(0.51, True), (-0.99, True), (1.0, False), (-3.0, False)])
def test_less_than_a_standard_deviation_is_slight(difference: float, slightly: bool) -> None:
    (words,) = told(off("mean_pitch", difference))
    assert words.startswith("slightly") is slightly


def test_the_worst_come_first_and_no_more_than_eight() -> None:
    differences = [off(name, 1 + place / 10) for place, name in enumerate(WORDS)]
    faults = find_faults(differences, FAR, BaseLine())
    sizes = [fault.shown_by.difference for fault in faults]
    assert len(faults) == MOST
    assert len({fault.words for fault in faults}) == MOST
    assert sizes == sorted(sizes, key=lambda size: -(size or 0))
    assert sizes[0] == pytest.approx(1 + (len(WORDS) - 1) / 10)


def test_copies_come_first_if_real_music_has_fewer() -> None:
    report = FAR | {"near_copy_rate": 0.5, "dup_rate": 0.3}
    assert "copied" in told(off("note_count", 6.0), report=report, base=BaseLine(dup_rate=0.3))[0]
    assert told(report=report, base=BaseLine(near_copy_rate=0.46, dup_rate=0.26)) == []


def test_silence_is_all_there_is_to_say() -> None:
    assert told(off("rest_rate", 6.0, 1.0, 0.1), off("note_count", -6.0, 0.0, 5.0)) == [SILENCE]
