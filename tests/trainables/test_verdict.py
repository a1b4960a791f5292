"""Verdicts on numbers, and on small trials driven into each state on purpose."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, get_args

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from data_prep.corpus import Corpus
from scores.registry import SCORES
from trainables.config import TrainConfig
from trainables.diagnostics import DIAGNOSTICS, diagnose
from trainables.midinet import MidiNet
from trainables.networks.generator import NOISE
from trainables.variants import Variant
from trainables.verdict import Evaluation, State, Thresholds, Verdict, verdict

HEALTHY: Mapping[str, float] = {
    "d_accuracy": 0.65, "d_fake": 0.42, "g_gradient": 1.1, "copy_rate": 0.3, "real_copy_rate": 0.2,
    "noise_sensitivity": 0.3, "pitches": 18, "real_pitches": 35, "distinct_bars": 0.9, "real_distinct_bars": 0.7,
    "notes_per_step": 1.3, "rounding_gap": 0.05, "d_overfit": 0.05, "d_chord_drop": 0.1, "statistics_gap": 0.02,
}  # fmt: skip
SCORED = {"copy_prev_rate": 0.05, "dup_rate": 0.01, "near_copy_rate": 0.06}
REAL = {"copy_prev_rate": 0.03, "dup_rate": 0.0, "near_copy_rate": 0.09}


def evaluation(
    losses: Mapping[str, float] | None = None, scores: Mapping[str, float] | None = None, **diagnostics: float
) -> Evaluation:
    """A healthy one, but for what is said."""
    return Evaluation(
        losses={"loss_d": 1.2, "loss_g": 0.9, "d_accuracy": 0.65} | dict(losses or {}),
        diagnostics={**HEALTHY, **diagnostics},
        scores=SCORED | dict(scores or {}),
        real=REAL,
    )


WINNING: dict[str, Any] = {"losses": {"d_accuracy": 0.97, "loss_g": 4.1}, "d_accuracy": 0.98, "d_fake": 0.04}
BLIND = {"d_accuracy": 0.51, "g_gradient": 0.02}


@pytest.mark.parametrize(
    ("state", "number", "changes"),
    [
        ("healthy", "d_accuracy 0.65", {}),
        ("diverged", "loss_d is nan", {"losses": {"loss_d": math.nan}}),
        ("diverged", "balance is nan", {"balance": math.nan}),
        ("diverged", "loss_g is -inf", {"losses": {"loss_g": -math.inf}}),
        ("diverged", "loss_g is 2e+06 (alarm above 1e+06)", {"losses": {"loss_g": 2e6}}),
        ("d_wins", "0.98 of held-out bars (alarm above 0.9)", WINNING),
        ("g_wins", "0.51 of held-out bars (alarm below 0.55), and its gradient is 0.02", BLIND),
        ("g_wins", "0.30 of held-out bars", {"d_accuracy": 0.3, "g_gradient": 0.02}),
        ("vanishing", "is 0.0009 (alarm below 0.001)", {"g_gradient": 9e-4}),
        ("copying", "0.50 of steps are as in the bar before, 0.20 in real music (alarm above 0.4", {"copy_rate": 0.5}),
        ("collapsed", "0.019 of steps change with the noise (alarm below 0.02)", {"noise_sensitivity": 0.019}),
        ("collapsed", "7 pitches are left, 35 in real bars (alarm at 7.0)", {"pitches": 7}),
        ("collapsed", "0.34 of bars are new, 0.70 of real ones (alarm below 0.35)", {"distinct_bars": 0.34}),
        ("collapsed", "0.25 of phrases end as another, 0.00", {"scores": {"dup_rate": 0.25}}),
        ("copying", "0.20 of bars are the bar before, 0.03", {"scores": {"copy_prev_rate": 0.2}}),
        ("copying", "0.50 of four-bar windows stand in the training music, 0.09", {"scores": {"near_copy_rate": 0.5}}),
    ],
)  # fmt: skip
def test_a_state_is_told_with_the_number_that_decides_it(state: State, number: str, changes: dict[str, Any]) -> None:
    found = verdict([evaluation(**changes)])
    assert found.state == state
    assert number in found.reason
    assert str(found).startswith(f"{state}: ")


@pytest.mark.parametrize(
    "changes",
    [
        {"d_accuracy": 0.98, "d_fake": 0.3},  # on the way of every trial: bars are not yet 0 and 1
        {"d_accuracy": 0.98, "d_fake": 0.04},  # at this moment, but not in training since the last evaluation
        {"losses": {"d_accuracy": 0.97}, "d_fake": 0.04},  # on training songs alone
        {"d_accuracy": 0.5},  # an equilibrium from which the generator still learns
        {"g_gradient": 0.02},  # a small gradient of a discriminator that can tell
        {"pitches": 8},
        {"noise_sensitivity": 0.02},
        {"copy_rate": 0.45},
    ],
)
def test_half_a_sign_is_none(changes: dict[str, Any]) -> None:
    assert verdict([evaluation(**changes)]).state == "healthy"


ORDER = (
    ("diverged", {"losses": {"loss_d": math.inf}}),
    ("d_wins", WINNING),
    ("vanishing", {"g_gradient": 1e-5}),
    ("copying", {"copy_rate": 0.9}),
    ("collapsed", {"noise_sensitivity": 0.0}),
)


@pytest.mark.parametrize("first", range(len(ORDER)))
def test_causes_stand_before_effects_which_become_remarks(first: int) -> None:
    changes: dict[str, Any] = {}
    for _, change in ORDER[first:]:
        losses = {**change.get("losses", {}), **changes.get("losses", {})}
        changes = {**change, **changes, "losses": losses}
    found = verdict([evaluation(**changes)])
    assert found.state == ORDER[first][0]
    for state, _ in ORDER[first + 1 :]:
        assert (f"also {state}: " in found.reason) == (first > 0)  # of weights that are none nothing else is said


def test_a_player_that_wins_comes_before_a_gradient_that_is_gone() -> None:
    assert verdict([evaluation(d_accuracy=0.5, g_gradient=1e-5)]).state == "g_wins"


def test_a_gradient_is_measured_by_what_the_trial_began_with() -> None:
    history = [evaluation(g_gradient=gradient) for gradient in (3.0, 2.0, 1.0, 0.021)]
    assert verdict(history).state == "healthy"
    found = verdict([*history[:3], evaluation(g_gradient=0.019)])
    assert found.state == "vanishing"
    assert "0.019, where the trial began with 2 (alarm below 0.01 of it)" in found.reason


@pytest.mark.parametrize(("before", "trend"), [(None, "loss_g 4.1"), (3.0, "rising from 3"), (5.0, "falling from 5")])
def test_the_way_of_the_generators_loss_is_told(before: float | None, trend: str) -> None:
    history = [] if before is None else [evaluation(losses={"loss_g": before})]
    assert trend in verdict([*history, evaluation(**WINNING)]).reason
    silent = replace(evaluation(**WINNING), losses={})
    assert "loss_g" not in verdict([silent]).reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("notes_per_step", "the output is blurred"),
        ("rounding_gap", "by their not being notes"),
        ("d_overfit", "knows the training songs by heart"),
        ("d_chord_drop", "judges by chords"),
        ("statistics_gap", "other statistics in use"),
    ],
)
def test_what_makes_no_state_is_remarked(name: str, text: str) -> None:
    limit = getattr(Thresholds(), name)
    found = verdict([evaluation(**{name: limit + 0.01})])
    assert found.state == "healthy"
    assert text in found.reason
    assert "also" not in verdict([evaluation(**{name: limit})]).reason


def test_a_system_without_a_discriminator_is_judged_by_its_music() -> None:
    def of_music(**scores: float) -> Verdict:
        return verdict([Evaluation(losses={"loss": 0.4}, scores=SCORED | scores, real=REAL)])

    assert of_music().state == "healthy"
    assert "dup_rate 0.01 (alarm above 0.20)" in of_music().reason
    assert of_music(dup_rate=0.9).state == "collapsed"
    assert of_music(near_copy_rate=0.9).state == "copying"


def test_thresholds_are_a_choice() -> None:
    assert verdict([evaluation()], Thresholds(noise_sensitivity=0.5)).state == "collapsed"


@pytest.mark.parametrize("history", [[], [Evaluation()], [Evaluation(), Evaluation(losses={"loss_g": 1.0})]])
def test_nothing_measured_is_no_alarm(history: list[Evaluation]) -> None:
    found = verdict(history)
    assert found.state == "healthy"
    assert "nothing" in found.reason


Names = st.sampled_from([*DIAGNOSTICS, *SCORES, "loss_d", "loss_g", "loss", "norm_g"])
Numbers = st.dictionaries(Names, st.one_of(st.floats(), st.floats(0, 1), st.floats(0, 40)), max_size=12)
Evaluations = st.builds(Evaluation, losses=Numbers, diagnostics=Numbers, scores=Numbers, real=Numbers)


@given(st.lists(Evaluations, max_size=4))
@settings(deadline=None, max_examples=100)
def test_any_numbers_have_a_verdict(history: list[Evaluation]) -> None:
    found = verdict(history)
    assert found.state in get_args(State)
    assert found.reason
    assert "\n" not in found.reason
    if history:
        now = history[-1]
        numbers = [*now.losses.values(), *now.diagnostics.values()]
        losses = [value for name, value in now.losses.items() if name.startswith("loss")]
        beyond = not all(map(math.isfinite, numbers)) or any(abs(loss) > 1e6 for loss in losses)
        assert (found.state == "diverged") == beyond


@given(st.lists(Evaluations, min_size=1, max_size=4))
@settings(deadline=None, max_examples=30)
def test_past_evaluations_explain_but_do_not_accuse(history: list[Evaluation]) -> None:
    assert verdict([*history, evaluation()]).state in ("healthy", "vanishing")


def test_every_name_that_rules_ask_for_exists() -> None:
    assert set(HEALTHY) <= set(DIAGNOSTICS)
    assert set(SCORED) <= set(SCORES)


# Small trials. What no training of seconds reaches is reached by a change of weights, and said.


def trial(corpus: Corpus, steps: int, variant: Variant | None = None, **numbers: Any) -> tuple[MidiNet, Evaluation]:
    config = TrainConfig(batch_size=16, **numbers)
    net = MidiNet(variant or Variant(), config, corpus, seed=0)
    losses = net.train(until=steps * config.items_per_step)
    return net, Evaluation(losses=losses, diagnostics=looked_at(net))


def looked_at(net: MidiNet, generator: nn.Module | None = None) -> dict[str, float]:
    return diagnose(
        net.players.generator,
        net.players.discriminator,
        generator or net.judged_generator(),
        net.dealer.sample(128, seed=1),
        net.dealer.sample(128, seed=2),
        notes=net.notes,
        generator_loss=lambda logit: nn.functional.softplus(-logit).mean(),
        register=(55, 88),
        seed=0,
    )


@pytest.fixture(scope="module")
def fair(corpus: Corpus) -> tuple[MidiNet, Evaluation]:
    """The paper's own numbers, a little way."""
    return trial(corpus, steps=30)


def test_a_trial_of_the_papers_numbers_is_healthy(fair: tuple[MidiNet, Evaluation]) -> None:
    assert verdict([fair[1]]).state == "healthy"


@pytest.mark.parametrize("learning_rate", [1e3, 1e30])  # losses of millions, and of no number
def test_a_trial_of_steps_too_wide_diverges(learning_rate: float, corpus: Corpus) -> None:
    _, now = trial(corpus, steps=6, learning_rate=learning_rate)
    assert verdict([now]).state == "diverged"


def test_a_trial_in_which_the_generator_does_not_learn_is_won_by_the_discriminator(corpus: Corpus) -> None:
    net, first = trial(corpus, steps=75, learning_rate=1e-6, learning_rate_ratio=1e6)
    now = Evaluation(losses=net.train(until=2 * net.bars_seen), diagnostics=looked_at(net))
    found = verdict([first, now])
    assert found.state == "d_wins"
    assert "rising" in found.reason


def test_a_trial_in_which_the_discriminator_does_not_learn_is_won_by_the_generator(corpus: Corpus) -> None:
    _, now = trial(corpus, steps=10, learning_rate=2e-7, learning_rate_ratio=1e-6)
    assert verdict([now]).state == "g_wins"


def test_a_discriminator_whose_output_is_faint_makes_the_gradient_vanish(fair: tuple[MidiNet, Evaluation]) -> None:
    net, first = fair
    output = net.players.discriminator.output
    saved = {name: value.clone() for name, value in output.state_dict().items()}
    with torch.no_grad():  # by hand: its order of bars, and so its accuracy, stays as it was
        for weight in output.parameters():
            weight.mul_(1e-3)
    now = looked_at(net)
    output.load_state_dict(saved)
    assert now["d_accuracy"] == pytest.approx(first.diagnostics["d_accuracy"], abs=0.02)
    assert verdict([first, replace(first, diagnostics=now)]).state == "vanishing"


def test_a_generator_that_is_deaf_to_its_noise_has_collapsed(fair: tuple[MidiNet, Evaluation]) -> None:
    net, first = fair
    average = net.judged_generator()
    dense = average.dense[0].linear.weight
    saved = dense.clone()
    with torch.no_grad():  # by hand
        dense[:, :NOISE] = 0
    now = looked_at(net)
    with torch.no_grad():
        dense.copy_(saved)
    assert now["noise_sensitivity"] == 0
    assert verdict([replace(first, diagnostics=now)]).state == "collapsed"


class Copyist(nn.Module):
    """The bar before, in its own hand: no network of ours learns that in seconds."""

    def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        return previous * noise[:, :1, None].sigmoid()


def test_a_generator_that_writes_the_bar_before_copies(fair: tuple[MidiNet, Evaluation]) -> None:
    net, first = fair
    found = verdict([replace(first, diagnostics=looked_at(net, Copyist()))])
    assert found.state == "copying"
    assert "also collapsed" in found.reason
