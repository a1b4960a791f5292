"""Training as a whole: the same bits from the same seed, whether or not it was stopped, saved or listened to."""

import io
import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from data_prep.corpus import Corpus, Split
from tests.trainables.combinations import OPTIONS, covering
from tests.trainables.combinations import name as told
from trainables.config import TrainConfig
from trainables.midinet import MidiNet
from trainables.variants import VARIANTS, Variant

CONFIG = TrainConfig(batch_size=8)
STEP = CONFIG.items_per_step
GOLDEN = Path(__file__).parent / "golden.json"
# Between them: either kind of chord, of spectral norm and of head, and more bars and chords than one.
SYSTEMS = {
    **{name: VARIANTS[name] for name in ("baseline", "spectral_gd_as_committed", "combined")},
    "four chords in each of two bars": Variant(chords_per_bar=4, bars=2, spectral_norm="gd", d_head="mlp"),
}
unlike_systems = pytest.mark.parametrize("variant", SYSTEMS.values(), ids=SYSTEMS)
# One placement for each way in which a spectral norm is kept: beside batch norms, with a gain, by rows, of a table.
KEPT = OPTIONS | {"spectral_norm": ("none", "d_all_bn", "gd", "gd_paper", "emb")}


def prompts(corpus: Corpus) -> tuple[np.ndarray, np.ndarray]:
    rows = corpus.phrases(Split.PROMPTS)
    return corpus.melody[rows[:, 0]], corpus.chord[rows]


def weights(net: MidiNet) -> dict[str, Tensor]:
    players = (net.players.generator, net.players.discriminator, net.players.average)
    return {
        f"{i}.{name}": p.detach().clone() for i, player in enumerate(players) for name, p in player.named_parameters()
    }


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def flat(state: Any, path: str = "") -> dict[str, Any]:
    """The leaves of nested dicts and lists, by path."""
    if isinstance(state, dict):
        return {k: v for key, value in state.items() for k, v in flat(value, f"{path}/{key}").items()}
    if isinstance(state, list):
        return {k: v for key, value in enumerate(state) for k, v in flat(value, f"{path}/{key}").items()}
    return {path: state}


def through_a_file(state: dict[str, Any]) -> dict[str, Any]:
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    return torch.load(file, weights_only=True)


@unlike_systems
def test_going_on_from_a_checkpoint_equals_never_having_stopped(variant: Variant, corpus: Corpus) -> None:
    whole = MidiNet(variant, CONFIG, corpus, seed=0)
    whole.train(until=4 * STEP)
    whole.generate(*prompts(corpus), seed=5)  # as a trial does before it saves
    stopped = MidiNet(variant, CONFIG, corpus, seed=0)
    stopped.train(until=4 * STEP)
    stopped.generate(*prompts(corpus), seed=5)
    # Whatever the fresh object was made with must be overwritten.
    restored = MidiNet(variant, CONFIG, corpus, seed=99)
    restored.train(until=STEP)
    restored.load_state_dict(through_a_file(stopped.state_dict()))
    torch.manual_seed(12345)  # nothing may come from the global stream
    assert restored.bars_seen == 4 * STEP
    np.testing.assert_array_equal(
        restored.generate(*prompts(corpus), seed=6), stopped.generate(*prompts(corpus), seed=6)
    )
    assert restored.train(until=8 * STEP) == whole.train(until=8 * STEP)
    assert_same(weights(restored), weights(whole))
    np.testing.assert_array_equal(restored.generate(*prompts(corpus), seed=7), whole.generate(*prompts(corpus), seed=7))
    found, expected = flat(restored.state_dict()), flat(whole.state_dict())
    assert found.keys() == expected.keys()
    # The optimisers' moments, the dealing of batches and the noise as well; the average's own statistics are
    # estimated anew for each generation and stand where they were put by the same number of these.
    for path, value in expected.items():
        same = torch.equal(found[path], value) if isinstance(value, Tensor) else found[path] == value
        assert same, path


def test_a_checkpoint_does_not_change_as_training_goes_on(corpus: Corpus) -> None:
    net = MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0)
    net.train(until=2 * STEP)
    saved = through_a_file(net.state_dict())
    losses = net.train(until=4 * STEP)
    net.load_state_dict(saved)
    assert net.bars_seen == 2 * STEP
    assert net.train(until=4 * STEP) == losses


@unlike_systems
def test_the_seed_decides_every_bit(variant: Variant, corpus: Corpus) -> None:
    def run(seed: int) -> tuple[dict[str, float], dict[str, Tensor], np.ndarray]:
        net = MidiNet(variant, CONFIG, corpus, seed=seed)
        return net.train(until=3 * STEP), weights(net), net.generate(*prompts(corpus), seed=1)

    first, again, other = run(0), run(0), run(1)
    assert first[0] == again[0]
    assert_same(again[1], first[1])
    np.testing.assert_array_equal(again[2], first[2])
    assert first[0] != other[0]
    assert (first[2] != other[2]).any()


@unlike_systems
def test_listening_does_not_disturb_training(variant: Variant, corpus: Corpus) -> None:
    quiet, heard = (MidiNet(variant, CONFIG, corpus, seed=0) for _ in range(2))
    losses = []
    for net in (quiet, heard):
        losses.append([net.train(until=3 * STEP)])
        if net is heard:
            before = {name: b.clone() for name, b in net.players.generator.named_buffers()}
            net.generate(*prompts(corpus), seed=1)
            after = dict(net.players.generator.named_buffers())
            assert all(torch.equal(after[name], b) for name, b in before.items())
            assert net.players.generator.training
        losses[-1].append(net.train(until=6 * STEP))
    assert losses[0] == losses[1]
    assert_same(weights(heard), weights(quiet))
    np.testing.assert_array_equal(heard.generate(*prompts(corpus), seed=2), quiet.generate(*prompts(corpus), seed=2))


def test_music_is_of_the_average_and_changes_with_its_seed_alone(corpus: Corpus) -> None:
    net = MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0)
    net.train(until=3 * STEP)
    first = net.generate(*prompts(corpus), seed=1)
    with torch.no_grad():
        for parameter in net.players.generator.parameters():
            parameter.zero_()
    np.testing.assert_array_equal(net.generate(*prompts(corpus), seed=1), first)
    assert (net.generate(*prompts(corpus), seed=2) != first).any()


def test_music_has_the_prompts_shape_and_no_rest_where_the_corpus_has_none(corpus: Corpus) -> None:
    net = MidiNet(VARIANTS["combined"], CONFIG, corpus, seed=0)
    net.train(until=STEP)
    first_bar, chord = prompts(corpus)
    music = net.generate(first_bar, chord, seed=0)
    assert music.dtype == np.int8
    assert music.shape == (len(first_bar), 8, 16)
    np.testing.assert_array_equal(music[:, 0], first_bar)
    assert music.min() >= 0


def test_a_corpus_that_keeps_rests_may_be_answered_with_silence(corpus: Corpus) -> None:
    melody = corpus.melody.copy()
    melody[0, 4:8] = -1
    with_rests = replace(corpus, melody=melody)
    net = MidiNet(VARIANTS["baseline"], CONFIG, with_rests, seed=0)
    net.train(until=STEP)
    net.players.average.module.output.bias.fill_(-20.0)  # no pitch is likely
    music = net.generate(*prompts(corpus), seed=0)
    assert (music[:, 1:] == -1).all()


def test_training_stops_at_the_first_step_that_reaches_the_bars_asked_for(corpus: Corpus) -> None:
    net = MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0)
    net.train(until=2 * STEP - 1)
    assert net.bars_seen == 2 * STEP
    assert net.train(until=2 * STEP).keys() == {"norm_g", "norm_d"}  # there were no losses
    assert net.bars_seen == 2 * STEP


def test_reading_losses_in_parts_gives_the_same_mean(corpus: Corpus) -> None:
    whole, parts = (MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0) for _ in range(2))
    expected, read = whole.train(until=4 * STEP), [parts.train(until=k * STEP) for k in range(1, 5)]
    assert {expected.pop(name) for name in ("norm_g", "norm_d")} == {
        read[-1].pop(name) for name in ("norm_g", "norm_d")
    }
    assert expected == pytest.approx({name: sum(losses[name] for losses in read) / 4 for name in expected}, rel=1e-5)


@pytest.mark.parametrize("system", VARIANTS)
def test_losses_are_the_recorded_ones(system: str, corpus: Corpus, in_double: Callable[..., None]) -> None:
    # A change that moves these changes what is trained. If that is meant: delete the file, run this test twice, and
    # say in the commit what the change was. In single precision, processors differ by half a percent after 20 steps.
    net = MidiNet(VARIANTS[system], TrainConfig(batch_size=16), corpus, seed=0)
    in_double(net.players, net.dealer)
    step = net.config.items_per_step
    steps = [net.train(until=k * step) for k in range(1, 21)]
    found = {name: [float(f"{losses[name]:.8g}") for losses in steps] for name in steps[0] if "norm" not in name}
    recorded = json.loads(GOLDEN.read_text()) if GOLDEN.exists() else {}
    if system not in recorded:
        GOLDEN.write_text(json.dumps(recorded | {system: found}, indent=1) + "\n")
        pytest.fail(f"{GOLDEN.name} had no losses of {system}; they have been recorded: look at them and run again.")
    assert found.keys() == recorded[system].keys()
    for name, values in recorded[system].items():
        assert found[name] == pytest.approx(values, rel=1e-4), name


def test_a_corpus_without_rests_is_never_answered_with_silence(corpus: Corpus) -> None:
    net = MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0)
    net.train(until=STEP)
    net.players.average.module.output.bias.fill_(-20.0)  # no pitch is likely
    assert (net.generate(*prompts(corpus), seed=0) >= 0).all()


@pytest.mark.parametrize("before", [False, True])
def test_numbers_next_to_zero_are_as_they_were_when_training_ends(before: bool, corpus: Corpus) -> None:
    torch.set_flush_denormal(before)
    try:
        net = MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0)
        during: list[bool] = []
        net.players.optimiser_g.register_step_post_hook(lambda *_: during.append(bool(torch.tensor(1e-40) * 1 == 0)))
        net.train(until=STEP)
        assert all(during)
        assert bool(torch.tensor(1e-40) * 1 == 0) == before
    finally:
        torch.set_flush_denormal(False)


def test_players_are_asked_about_songs_that_they_do_not_learn_from(corpus: Corpus) -> None:
    # Validation songs of one pitch alone: what is said of real held-out bars must be said of these.
    rows = corpus.rows(Split.VALIDATION)
    melody = corpus.melody.copy()
    melody[rows] = 60
    net = MidiNet(VARIANTS["baseline"], CONFIG, replace(corpus, melody=melody), seed=0)
    assert net.diagnose(seed=0)["real_pitches"] == 12  # in twelve keys
    assert MidiNet(VARIANTS["baseline"], CONFIG, corpus, seed=0).diagnose(seed=0)["real_pitches"] > 12


@pytest.mark.parametrize("variant", covering(KEPT), ids=told)
def test_options_that_meet_train_and_go_on_from_a_checkpoint(variant: Variant, corpus: Corpus) -> None:
    config = TrainConfig(batch_size=4, g_updates=1)
    step = config.items_per_step * variant.bars
    whole, stopped = (MidiNet(variant, config, corpus, seed=0) for _ in range(2))
    losses = [whole.train(until=step), whole.train(until=2 * step)]
    assert stopped.train(until=step) == losses[0]
    restored = MidiNet(variant, config, corpus, seed=1)
    restored.load_state_dict(through_a_file(stopped.state_dict()))
    assert restored.train(until=2 * step) == losses[1]
    assert all(math.isfinite(value) for found in losses for value in found.values())
    np.testing.assert_array_equal(restored.generate(*prompts(corpus), seed=1), whole.generate(*prompts(corpus), seed=1))
