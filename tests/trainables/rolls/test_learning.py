"""Training of the three systems as a whole: the same bits from the same seed, whether or not it was stopped."""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from trainables.config import TrainConfig
from trainables.rolls.options import GanNetwork, LstmConfig, LstmNetwork, VaeConfig, VaeNetwork

Make = Callable[..., Any]
Music = Corpus | WindowCorpus
GOLDEN = Path(__file__).parent / "golden.json"
SYSTEMS = ("lstm", "vae", "gan")
BARS = {"lstm": 24, "vae": 24, "gan": 48}
"""Bars of one step at the batch size of three that all small systems have."""
WHOLE: dict[str, dict[str, Any]] = {
    "lstm": {"network": LstmNetwork(), "config": LstmConfig(batch_size=2)},
    "vae": {"network": VaeNetwork(), "config": VaeConfig(batch_size=2)},
    "gan": {
        "network": GanNetwork(),
        "config": TrainConfig(batch_size=2, g_updates=1, feature_weight=0.0, mean_weight=0.0, initialisation="dcgan"),
    },
}
every_system = pytest.mark.parametrize("name", SYSTEMS)


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def assert_same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert expected
    assert [path for path in expected if not torch.equal(found[path], expected[path])] == []


@every_system
def test_going_on_from_a_checkpoint_equals_never_having_stopped(
    name: str, music: Music, small: Make, prompts: Make, weights: Make
) -> None:
    step = BARS[name]
    whole, stopped, restored = small(name, music), small(name, music), small(name, music, seed=99)
    for system in (whole, stopped):
        system.train(until=2 * step)
        system.generate(*prompts(music), seed=5)  # as a trial does before it saves
    restored.train(until=step)
    restored.load_state_dict(through_a_file(stopped.state_dict()))
    torch.manual_seed(12345)  # nothing may come from the global stream
    assert restored.bars_seen == 2 * step
    np.testing.assert_array_equal(restored.generate(*prompts(music), seed=6), whole.generate(*prompts(music), seed=6))
    assert restored.train(until=4 * step) == whole.train(until=4 * step)
    assert_same(weights(restored.state_dict()), weights(whole.state_dict()))


@every_system
def test_the_seed_decides_every_bit_and_others_do_not_disturb(
    name: str, music: Music, small: Make, prompts: Make, weights: Make
) -> None:
    step = BARS[name]
    alone = small(name, music)
    losses = alone.train(until=2 * step)
    one, two = small(name, music), small(name, music, seed=1)
    for k in (1, 2):  # in turns in one process
        torch.rand(k)
        one.train(until=k * step)
        two.train(until=k * step)
    assert_same(weights(one.state_dict()), weights(alone.state_dict()))
    other = small(name, music, seed=1).train(until=2 * step)
    assert other != losses
    np.testing.assert_array_equal(one.generate(*prompts(music), seed=1), alone.generate(*prompts(music), seed=1))


@every_system
def test_the_global_stream_is_left_alone(name: str, corpus: Corpus, small: Make, prompts: Make) -> None:
    before = torch.get_rng_state()
    system = small(name, corpus)
    system.train(until=BARS[name])
    system.generate(*prompts(corpus), seed=0)
    assert torch.equal(torch.get_rng_state(), before)


@every_system
def test_listening_does_not_disturb_training(name: str, music: Music, small: Make, prompts: Make) -> None:
    quiet, heard = small(name, music), small(name, music)
    for system in (quiet, heard):
        system.train(until=2 * BARS[name])
    heard.generate(*prompts(music), seed=1)
    heard.diagnose(seed=1)
    assert heard.train(until=4 * BARS[name]) == quiet.train(until=4 * BARS[name])


@every_system
def test_training_stops_at_the_first_step_that_reaches_the_bars_asked_for(
    name: str, corpus: Corpus, small: Make
) -> None:
    system = small(name, corpus)
    system.train(until=2 * BARS[name] - 1)
    assert system.bars_seen == 2 * BARS[name]
    system.train(until=2 * BARS[name])
    assert system.bars_seen == 2 * BARS[name]


@pytest.mark.parametrize("name", ["lstm", "vae"])
def test_reading_losses_in_parts_gives_the_same_mean(name: str, corpus: Corpus, small: Make) -> None:
    whole, parts = small(name, corpus), small(name, corpus)
    expected = whole.train(until=3 * BARS[name])
    read = [parts.train(until=k * BARS[name]) for k in range(1, 4)]
    assert expected.pop("norm") == read[-1]["norm"]
    assert expected == pytest.approx({key: sum(losses[key] for losses in read) / 3 for key in expected}, rel=1e-5)


@pytest.mark.parametrize("name", ["lstm", "vae"])
def test_weights_that_are_no_numbers_show_in_the_losses(name: str, corpus: Corpus, small: Make) -> None:
    system = small(name, corpus)
    with torch.no_grad():
        next(system.module.parameters()).fill_(torch.nan)
    assert not np.isfinite(system.train(until=BARS[name])["loss"])


@pytest.mark.parametrize("name", ["lstm", "vae"])
def test_weights_that_the_last_step_spoilt_show_as_well(
    name: str, corpus: Corpus, small: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = small(name, corpus)
    last = list(system.module.parameters())[-1]
    monkeypatch.setattr(system.optimiser, "step", lambda: last.data.fill_(torch.nan))
    found = system.train(until=BARS[name])
    assert np.isfinite(found["loss"])
    assert not np.isfinite(found["norm"])


@every_system
def test_a_batch_may_be_larger_than_the_corpus(name: str, window_corpus: WindowCorpus, small: Make) -> None:
    config = replace(small(name, window_corpus).config, batch_size=11)  # of nine windows
    system = small(name, window_corpus, config=config)
    assert np.isfinite(list(system.train(until=1).values())).all()
    assert system.bars_seen == 11 * BARS[name] / 3


@every_system
def test_an_empty_training_split_is_refused(name: str, music: Music, small: Make) -> None:
    with pytest.raises(UserError, match="no window of 128 steps"):
        small(name, replace(music, split=np.full_like(music.split, 1)))


@pytest.mark.parametrize("name", ["lstm", "vae"])
def test_a_system_of_one_network_has_no_balance_to_speak_of(name: str, corpus: Corpus, small: Make) -> None:
    system = small(name, corpus)
    assert system.diagnose(seed=0) == {}
    assert system.cancelled_spectral_norms == []


def recorded(key: str, found: dict[str, list[float]]) -> dict[str, list[float]]:
    """The golden losses of that name, which are written where there are none."""
    known = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if key not in known:
        GOLDEN.write_text(json.dumps(known | {key: found}, indent=1) + "\n")
        pytest.fail(f"{GOLDEN.name} had no losses of {key}; they have been recorded: look at them and run again.")
    return dict(known[key])


@every_system
def test_losses_are_the_recorded_ones(
    name: str, music: Music, small: Make, in_double: Make, learner_in_double: Make, request: pytest.FixtureRequest
) -> None:
    # A change that moves these changes what is trained. If that is meant: delete the file, run this test twice, and
    # say in the commit what the change was.
    system = small(name, music)
    if name == "gan":
        in_double(system.players, system.dealer)
    else:
        learner_in_double(system)
    steps = [system.train(until=k * BARS[name]) for k in range(1, 21)]
    found = {key: [float(f"{losses[key]:.8g}") for losses in steps] for key in steps[0]}
    kind = "bars" if isinstance(music, Corpus) else "windows"
    for key, values in recorded(f"{name} {kind}", found).items():
        assert found[key] == pytest.approx(values, rel=1e-4), key


@every_system
def test_first_losses_of_whole_networks_are_the_recorded_ones(name: str, corpus: Corpus, small: Make) -> None:
    system = small(name, corpus, **WHOLE[name])
    losses = system.train(until=1)
    found = {key: [float(f"{value:.6g}")] for key, value in losses.items()}
    for key, values in recorded(f"{name} whole", found).items():
        assert found[key] == pytest.approx(values, rel=1e-3), key
