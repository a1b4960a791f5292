"""What an objective is made of, in words."""

import re

import pytest

from scores.cli.verdict import verdict
from scores.objective import BaseLine, excess


def of(distance: float, *, steady: bool = True) -> str:
    return verdict({"realism": distance, "objective": distance, "dup_rate": 0.0}, BaseLine(), steady=steady)


ANCHORS = {
    -0.5: "hardly to be told",
    0.006: "hardly to be told",
    0.033: "about as far as a Markov chain over the same chords",
    0.054: "about as far as the nearest real bars",
    0.205: "about as far as a Markov chain blind to the chords",
    0.238: "random bars over the same chords",
    0.364: "about as far as real bars in random order",
    0.778: "about as far as random notes",
    1.0: "further than random notes",
}


@pytest.mark.parametrize(("distance", "words"), ANCHORS.items())
def test_music_of_a_known_distance_is_named(distance: float, words: str) -> None:
    assert words in of(distance).partition(": distance ")[2]


@pytest.mark.parametrize("distance", [value for value in ANCHORS if value > 0.02] + [0.1, 0.5])
def test_anchors_say_on_which_music_they_were_measured(distance: float) -> None:
    assert of(distance).endswith(", as measured on the built-in corpus")


def test_noise_is_known_of_many_phrases_only() -> None:
    assert "noise" in of(0.01)
    assert "noise" not in of(0.01, steady=False)


def test_the_sum_is_that_of_the_objective_and_its_words_are_of_the_distance() -> None:
    base = BaseLine(dup_rate=0.1, near_copy_rate=0.3)
    report = {"realism": 0.266, "dup_rate": 0.5, "near_copy_rate": 0.4}
    report["objective"] = 0.266 + excess(0.5, 0.1) + excess(0.4, 0.3)
    told = verdict(report, base)
    parts = {name: float(value) for value, name in re.findall(r"(\d\.\d{3}) ([a-z ]*[a-z])", told)}
    assert list(parts) == ["distance", "repeated endings", "copies"]
    assert sum(parts.values()) == pytest.approx(report["objective"], abs=0.002)
    assert told.startswith(f"objective {report['objective']:.3f} = 0.266 distance + 0.412 repeated endings + 0.077")
    assert "blind to the chords" in told


def test_what_was_not_looked_for_is_not_told() -> None:
    assert "copies" not in verdict({"realism": 0.1, "objective": 0.1 + 0.5, "dup_rate": 0.525}, BaseLine())
