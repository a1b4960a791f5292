import dataclasses
import json
import math
from dataclasses import fields
from typing import Any

import pytest

from data_prep.errors import UserError
from data_prep.options import BARS, CHOICES, HELP, SPLIT, Options
from data_prep.sources import SOURCES
from data_prep.splits import Shares

NAMES = {option.name for option in fields(Options)}


def refusal(**given: Any) -> str:
    with pytest.raises(UserError) as caught:
        Options(**given)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_defaults() -> None:
    assert dataclasses.asdict(Options()) == {
        "seed": 0,
        "shares": {"validation": 0.12, "test": 0.12, "prompts": 0.04},
        "rests": "fill",
        "octave": "keep",
        "chords": "required",
        "chord_quality": "by-third",
        "doubtful": "keep",
        "melody_track": None,
        "chord_track": None,
        "sampling_frequency": 16.0,
        "pedal": "ignore",
    }


def test_every_option_says_what_it_does_and_every_choice_is_taken() -> None:
    assert set(HELP) == NAMES
    assert all(HELP.values())
    assert set(CHOICES) == {"rests", "octave", "chords", "chord_quality", "doubtful", "pedal"}
    for name, values in CHOICES.items():
        assert len(values) == 2
        assert getattr(Options(), name) in values
        for value in values:
            assert Options(**{name: value}).chosen((name,)) == {name: value}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", sorted(CHOICES))
@pytest.mark.parametrize("value", ["", "Fill", "no such word", None, 0, ["fill"]])
def test_other_words_are_refused_by_the_right_ones(name: str, value: Any) -> None:
    one, other = CHOICES[name]
    assert refusal(**{name: value}) == f"{name} is {value!r}; choose {one!r} or {other!r}."


@pytest.mark.parametrize("seed", [-1, 2**63, -(10**30), 10**30])
def test_a_seed_is_a_whole_number_from_0_on(seed: int) -> None:
    assert refusal(seed=seed) == f"seed is {seed}; choose a whole number from 0 on."
    assert Options(seed=0).seed == 0
    assert Options(seed=2**63 - 1).seed == 2**63 - 1


@pytest.mark.parametrize("frequency", [0, 0.99, 200.01, -16, math.inf, -math.inf, math.nan])
def test_a_sampling_frequency_lies_in_1_to_200_hz(frequency: float) -> None:
    assert "choose one from 1 to 200" in refusal(sampling_frequency=frequency)
    assert [Options(sampling_frequency=edge).sampling_frequency for edge in (1, 200)] == [1, 200]


@pytest.mark.parametrize("shares", [(-0.01, 0, 0), (1, 0, 0), (0.5, 0.4, 0.1), (math.nan, 0, 0), (math.inf, 0, 0)])
def test_shares_must_leave_something_to_train_on(shares: tuple[float, float, float]) -> None:
    with pytest.raises(UserError, match="some tunes must be left to train on"):
        Shares(validation=shares[0], test=shares[1], prompts=shares[2])


def test_what_is_chosen_is_named_in_order_and_plain() -> None:
    options = Options(seed=3, rests="keep", shares=Shares(validation=0.5, test=0, prompts=0.25))
    chosen = options.chosen(("rests", "shares", "seed"))
    assert chosen == {"rests": "keep", "shares": {"validation": 0.5, "test": 0, "prompts": 0.25}, "seed": 3}
    assert list(chosen) == ["rests", "shares", "seed"]
    assert json.loads(json.dumps(chosen)) == chosen
    assert options.chosen(()) == {}
    with pytest.raises(KeyError):
        options.chosen(("rest",))


def test_options_are_not_changed_afterwards() -> None:
    options = Options()
    with pytest.raises(dataclasses.FrozenInstanceError):
        options.seed = 1  # type: ignore[misc]
    with pytest.raises(TypeError):
        Options(tempo=120)  # type: ignore[call-arg]
    assert options == Options()
    assert hash(options) == hash(Options())


def test_every_source_hears_options_that_there_are_and_every_option_is_heard() -> None:
    heard = {name for source in SOURCES.values() for name in source.hears}
    assert heard == NAMES
    assert set(SPLIT) < set(BARS) < NAMES
    for source in SOURCES.values():
        assert len(set(source.hears)) == len(source.hears)
        assert list(source.choices(source.defaults)) == list(source.hears)
