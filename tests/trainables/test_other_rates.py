"""Going on from a state under other learning rates, as a member of a population does."""

import io
from typing import Any

import pytest
import torch
from torch import Tensor

from data_prep.corpus import Corpus
from trainables.config import TrainConfig
from trainables.midinet import MidiNet
from trainables.step import Players
from trainables.variants import Variant

STEP = 4 * (1 + 2)  # bars that one step shows to the optimisers
HORIZON = 16 * STEP
OTHER = {"learning_rate": 7e-4, "learning_rate_ratio": 4.0}
# "gd" has weights with rates of their own in both players, which must follow the others.
VARIANT = Variant(spectral_norm="gd")
ends = pytest.mark.parametrize("end", [1.0, 0.25])


def net(corpus: Corpus, *, seed: int = 0, **numbers: Any) -> MidiNet:
    return MidiNet(VARIANT, TrainConfig(batch_size=4, **numbers), corpus, seed=seed, horizon=HORIZON)


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    found: dict[str, Any] = torch.load(file, weights_only=True)
    return found


def rates(players: Players) -> list[float]:
    optimisers = (players.optimiser_d, players.optimiser_g)
    return [group["lr"] for optimiser in optimisers for group in optimiser.param_groups]


def flat(state: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(state, dict | list | tuple):
        return {path: state}
    items = state.items() if isinstance(state, dict) else enumerate(state)
    return {name: value for key, part in items for name, value in flat(part, f"{path}/{key}").items()}


def differing(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Paths of all that is not the same to the last bit."""
    ours, theirs = flat(found), flat(expected)
    assert ours.keys() == theirs.keys()
    return [path for path, value in theirs.items() if not same(ours[path], value)]


def same(found: Any, expected: Any) -> bool:
    return torch.equal(found, expected) if isinstance(expected, Tensor) else bool(found == expected)


@ends
@pytest.mark.parametrize("trained", [0, 3], ids=["fresh", "trained"])
def test_a_state_is_trained_on_at_the_rates_of_the_configuration(end: float, trained: int, corpus: Corpus) -> None:
    donor = net(corpus, learning_rate_end=end)
    donor.train(until=8 * STEP)
    # Players may have trained themselves before they take up the state, and then stand at a scaled rate.
    copy, native = (net(corpus, learning_rate_end=end, **OTHER) for _ in range(2))
    copy.train(until=trained * STEP)
    copy.load_state_dict(through_a_file(donor.state_dict()))
    assert copy.bars_seen == donor.bars_seen
    native.train(until=9 * STEP)
    copy.train(until=9 * STEP)
    # The ninth step begins at half the budget.
    assert rates(copy.players)[0] == pytest.approx(7e-4 * 2 * (1 + end) / 2)
    assert rates(copy.players) == rates(native.players) != rates(donor.players)


@ends
def test_only_the_rates_are_not_the_donors(end: float, corpus: Corpus) -> None:
    donor, copy = net(corpus, learning_rate_end=end), net(corpus, seed=5, learning_rate_end=end, **OTHER)
    donor.train(until=8 * STEP)
    copy.load_state_dict(through_a_file(donor.state_dict()))
    different = differing(copy.state_dict(), donor.state_dict())
    assert {path.rpartition("/")[2] for path in different} == {"lr", "initial_lr"}


@ends
def test_weights_move_by_the_new_rates(end: float, corpus: Corpus) -> None:
    donor = net(corpus, learning_rate_end=end)
    donor.train(until=8 * STEP)
    moves = []
    for factor in (1, 2):
        copy = net(corpus, learning_rate_end=end, learning_rate=2e-4 * factor)
        copy.load_state_dict(through_a_file(donor.state_dict()))
        weight = next(copy.players.discriminator.parameters())
        before = weight.detach().clone()
        copy.train(until=9 * STEP)  # one step: the same batch, noise, gradients and moments
        moves.append((weight.detach() - before).double())
    torch.testing.assert_close(moves[1], 2 * moves[0], rtol=1e-3, atol=1e-6)


@ends
def test_under_the_same_configuration_nothing_differs(end: float, corpus: Corpus) -> None:
    whole, stopped, resumed = (net(corpus, learning_rate_end=end, **OTHER) for _ in range(3))
    stopped.train(until=8 * STEP)
    resumed.train(until=STEP)
    resumed.load_state_dict(through_a_file(stopped.state_dict()))
    whole.train(until=8 * STEP)
    assert resumed.train(until=12 * STEP) == whole.train(until=12 * STEP)
    assert not differing(resumed.state_dict(), whole.state_dict())
