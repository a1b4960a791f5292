"""The Ray shell in this process: what a configuration says is what the live trial does."""

import math
import pickle
from itertools import product
from pathlib import Path
from typing import Any

import optuna
import pytest
import torch
from ray import cloudpickle

from data_prep.corpus import Corpus
from scores.objective import OBJECTIVES, WORST
from search_spaces.gan_balance import BETAS
from search_spaces.space import load_space
from trainables.checkpoint import packed
from trainables.config import Budget, TrainConfig
from trainables.handover import SavedState
from trainables.judge import Judge
from trainables.networks.layers import RowLinear
from trainables.systems import SYSTEMS
from trainables.trial import TRAINABLES, SystemTrial

BUDGET = Budget(bars=2_000, evaluations=4, rollouts=8, early_rollouts=4)


def make(system: str, settings: dict[str, Any], corpus: Corpus, seed: int = 0) -> SystemTrial:
    judge = Judge(corpus, rollouts=BUDGET.rollouts, early_rollouts=BUDGET.early_rollouts)

    class Here(TRAINABLES[system]):  # type: ignore[misc]
        def setup(self, config: dict[str, Any]) -> None:  # type: ignore[override]
            super().setup(config, corpus=corpus, judge=judge, budget=BUDGET)

    return Here({"trial": "0000", "seed": seed, "settings": settings})


def normalised(player: torch.nn.Module) -> set[str]:
    return {name for name, layer in player.named_modules() if isinstance(layer, RowLinear) and layer.spectral}


def test_there_is_a_trainable_for_every_system() -> None:
    assert set(TRAINABLES) == set(SYSTEMS)
    assert all(trainable.system == name for name, trainable in TRAINABLES.items())


# Together these take every category, and numbers from all over the ranges.
def suggestions(count: int = 12) -> list[dict[str, Any]]:
    space = load_space("gan_balance")
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [space.suggest(study.ask(), "baseline") for _ in range(count)]


@pytest.mark.parametrize("settings", suggestions())
def test_every_searched_number_reaches_its_optimiser_or_layer(settings: dict[str, Any], corpus: Corpus) -> None:
    trial = make("baseline", settings, corpus)
    players = trial.training.system.players
    rate, ratio = settings["learning_rate"], settings["learning_rate_ratio"]
    rate_d, rate_g = players.optimiser_d.param_groups[0]["lr"], players.optimiser_g.param_groups[0]["lr"]
    assert math.sqrt(rate_d * rate_g) == pytest.approx(rate)
    assert rate_d / rate_g == pytest.approx(ratio)
    betas = (settings["beta1"], settings["beta2"])
    assert players.optimiser_d.param_groups[0]["betas"] == players.optimiser_g.param_groups[0]["betas"] == betas
    assert trial.training.system.config.loss == settings["loss"]
    normed = any(isinstance(layer, torch.nn.BatchNorm1d) for layer in players.discriminator.modules())
    assert normed == (settings["loss"] != "wgan_gp" and settings["spectral_norm"] not in ("d_all", "gd"))

    assert players.discriminator.sees_previous == settings["d_sees_previous"]
    hidden = {"dense.0.linear", "dense.1.linear", *(f"up.{k}.linear" for k in range(3)), "output"}
    convolutions = {"convolutions.0.linear", "convolutions.1.linear"}
    everything = convolutions | {"dense.linear", "output"}
    expected = {
        "none": (set(), set()),
        "d_conv": (set(), convolutions),
        "d_all": (set(), everything),
        "g_all": (hidden, set()),
        "gd": (hidden, everything),
    }
    assert (normalised(players.generator), normalised(players.discriminator)) == expected[settings["spectral_norm"]]

    steps = {"d": 0, "g": 0}
    for side, optimiser in (("d", players.optimiser_d), ("g", players.optimiser_g)):
        optimiser.register_step_post_hook(lambda *_, side=side: steps.update({side: steps[side] + 1}))
    trial.training.system.train(until=1)
    assert steps == {"d": settings["d_updates"], "g": settings["g_updates"]}


def test_suggestions_take_every_category() -> None:
    taken = suggestions()
    assert {s["spectral_norm"] for s in taken} == {"none", "d_conv", "d_all", "g_all", "gd"}
    assert {(s["d_updates"], s["g_updates"]) for s in taken} == {(1, 2), (1, 1), (2, 1), (5, 1)}
    assert {(s["loss"], s["d_sees_previous"]) for s in taken} == set(product(BETAS, (False, True)))


def test_a_trial_reports_what_the_search_and_the_reports_need(corpus: Corpus) -> None:
    trial = make("baseline", {}, corpus)
    results = [trial.train() for _ in range(BUDGET.evaluations)]
    assert [result["done"] for result in results] == [False, False, False, True]
    assert results[-1]["bars"] >= BUDGET.bars
    now = [result["objective_now"] for result in results]
    assert results[0]["objective"] == now[0]
    assert results[-1]["objective"] == pytest.approx(sum(now[-3:]) / 3)
    for result in results:
        assert set(result["objectives"]) == set(OBJECTIVES) <= set(result["scores"])
        assert result["objectives"]["objective"] == result["objective"]
    balances = [result["scores"]["balance"] for result in results]
    assert results[-1]["objectives"]["balance"] == pytest.approx(sum(balances[-3:]) / 3)
    media = results[0]["_media"]
    assert media["melody"].shape == media["real"].shape == (*media["chord"].shape, 16)
    assert (media["melody"][:, 0] == media["real"][:, 0]).all()  # the first bar is real
    for result in results:
        assert all(math.isfinite(value) for value in {**result["scores"], **result["losses"]}.values())
    assert torch.get_num_threads() == 1


def test_a_checkpoint_goes_on_where_it_was_taken(corpus: Corpus, tmp_path: Path) -> None:
    settings = {"spectral_norm": "gd", "average_decay": 0.9}
    whole = make("baseline", settings, corpus)
    for _ in range(2):
        whole.train()
    whole.save_checkpoint(str(tmp_path))
    later = [whole.train()["objective"] for _ in range(2)]
    resumed = make("baseline", settings, corpus, seed=5)
    resumed.load_checkpoint(str(tmp_path))
    resumed._iteration = 2
    assert [resumed.train()["objective"] for _ in range(2)] == later


def arrived(path: Path) -> SavedState:
    """The state as it comes out of Ray at a worker."""
    state = pickle.loads(pickle.dumps(SavedState(path)))
    assert isinstance(state, SavedState)
    return state


def test_a_trial_goes_on_from_the_state_that_comes_with_its_configuration(corpus: Corpus, tmp_path: Path) -> None:
    settings = {"learning_rate": 1e-3}
    whole = make("baseline", settings, corpus)
    results = [whole.train() for _ in range(4)]
    (tmp_path / "state.pt").write_bytes(results[1]["_state"])
    used = make("baseline", {}, corpus, seed=5)
    used.train()
    used.reset_config(  # in a process that trained another trial before
        {"trial": "0001", "seed": 0, "settings": settings, "resume": arrived(tmp_path / "state.pt")}
    )
    used._iteration = 0
    later = [used.train() for _ in range(2)]
    assert [result["objective"] for result in later] == [result["objective"] for result in results[2:]]
    assert [result["training_iteration"] for result in later] == [3, 4]
    assert [result["done"] for result in later] == [False, True]


@pytest.mark.parametrize("damage", ["gone", "empty", "cut", "of another system", "no state"])
def test_a_state_that_cannot_be_used_has_the_trial_begin_again(damage: str, corpus: Corpus, tmp_path: Path) -> None:
    first = make("baseline", {}, corpus).train()
    state, path = first["_state"], tmp_path / "state.pt"
    if damage != "gone":
        other = packed({"a": 1}) if damage == "no state" else make("mlp", {}, corpus).train()["_state"]
        path.write_bytes({"empty": b"", "cut": state[: len(state) // 2]}.get(damage, other))
    again = make("baseline", {}, corpus)
    again.reset_config({"trial": "0000", "seed": 0, "settings": {}, "resume": arrived(path)})
    again.config = {"trial": "0000", "seed": 0, "settings": {}}
    result = again.train()
    assert (result["training_iteration"], result["objective"]) == (1, first["objective"])


def test_an_actor_that_is_used_again_starts_afresh(corpus: Corpus) -> None:
    settings = {"learning_rate": 1e-3}
    fresh = make("baseline", settings, corpus).train()["objective"]
    used = make("baseline", {}, corpus)
    used.train()
    used.reset_config({"trial": "0001", "seed": 0, "settings": settings})
    used._iteration = 0
    assert used.train()["objective"] == fresh


def test_divergence_ends_the_trial_with_the_worst_objective_and_no_music(corpus: Corpus) -> None:
    trial = make("baseline", {}, corpus)
    assert trial.train()["objective"] < WORST["objective"]
    with torch.no_grad():
        trial.training.system.players.generator.output.weight.fill_(math.nan)
    result = trial.train()
    assert result["diverged"]
    assert result["done"]
    assert result["objective"] == result["objective_now"] == WORST["objective"]
    assert result["objectives"] == WORST
    assert "_media" not in result
    assert all(math.isfinite(value) for value in result["losses"].values())


def test_evaluations_that_do_not_make_the_objective_ask_for_fewer_rollouts(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = make("baseline", {}, corpus)
    asked: list[int] = []
    generate = trial.training.system.generate

    def counted(first_bar: Any, chord: Any, *, seed: int) -> Any:
        asked.append(len(first_bar))
        return generate(first_bar, chord, seed=seed)

    monkeypatch.setattr(Judge, "samples", lambda self, system, by_beat: {})
    monkeypatch.setattr(trial.training.system, "generate", counted)
    for _ in range(BUDGET.evaluations):
        trial.train()
    assert asked == [4, 8, 8, 8]


def test_spectral_norms_without_effect_are_recorded(corpus: Corpus) -> None:
    assert make("baseline", {"spectral_norm": "d_conv"}, corpus).train()["cancelled_spectral_norms"] == (
        "discriminator.convolutions.1"
    )
    assert make("baseline", {"spectral_norm": "d_all"}, corpus).train()["cancelled_spectral_norms"] == ""


def test_the_paper_s_defaults() -> None:
    config = TrainConfig()
    assert (config.learning_rate_d, config.learning_rate_g) == pytest.approx((2e-4, 2e-4))
    assert (config.d_updates, config.g_updates, config.batch_size) == (1, 2, 72)
    assert (config.feature_weight, config.mean_weight, config.real_label) == (0.1, 0.01, 0.9)


def test_the_text_of_a_result_is_short_and_its_state_arrives_whole(corpus: Corpus) -> None:
    trial = make("baseline", {}, corpus)
    result = trial.step()
    assert len(repr(result)) < 10_000 < len(result["_state"])  # Ray writes out every result
    arrived = cloudpickle.loads(cloudpickle.dumps(result))["_state"]
    assert arrived == result["_state"]
    assert repr(arrived) == repr(result["_state"])
