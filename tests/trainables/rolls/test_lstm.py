"""The recurrent network: what it sees, what its options do, and how it goes on from a bar."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from trainables.rolls.lstm import Lstm, Recurrent, triangle
from trainables.rolls.options import LstmConfig, LstmNetwork

Make = Callable[..., Any]
SMALL = LstmNetwork(embedding=12, hidden=16, layers=2)


def network(seed: int = 0) -> Recurrent:
    torch.manual_seed(seed)
    recurrent = Recurrent(SMALL).double()
    with torch.no_grad():
        recurrent(roll(6))  # statistics that are not those of nothing
    return recurrent.eval()


def roll(count: int, time: int = 24, seed: int = 1) -> torch.Tensor:
    return (torch.rand(count, time, 128, generator=torch.Generator().manual_seed(seed)) < 0.05).double()


def test_at_the_papers_88_keys_it_has_the_papers_weights() -> None:
    def weights(recurrent: Recurrent) -> int:
        return sum(parameter.numel() for parameter in recurrent.parameters())

    assert weights(Recurrent(LstmNetwork(), keys=88)) == 4_295_256
    assert weights(Recurrent(LstmNetwork())) == 4_295_256 + 40 * (512 + 512 + 1)


@torch.no_grad()
def test_no_step_knows_what_comes_after_it() -> None:
    recurrent, before = network(), roll(3)
    after = before.clone()
    after[:, 10:] = 1 - after[:, 10:]
    first, second = recurrent(before)[0], recurrent(after)[0]
    assert torch.equal(first[:, :10], second[:, :10])
    assert (first[:, 10] != second[:, 10]).any(-1).all()


@torch.no_grad()
def test_step_by_step_says_what_all_steps_at_once_do() -> None:
    recurrent, music = network(), roll(3)
    whole, _ = recurrent(music)
    state, parts = None, []
    for t in range(music.shape[1]):
        logits, state = recurrent(music[:, t : t + 1], state)
        parts.append(logits)
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=1e-10, atol=1e-10)


@torch.no_grad()
def test_what_it_says_of_a_window_depends_on_no_other_and_on_no_dropout() -> None:
    recurrent, music = network(), roll(8)
    together = recurrent(music)[0]
    assert torch.equal(recurrent(music)[0], together)
    torch.testing.assert_close(recurrent(music[:1])[0], together[:1], rtol=1e-10, atol=1e-10)


def test_every_option_of_the_network_reaches_its_place() -> None:
    options = LstmNetwork(embedding=7, hidden=9, layers=3, dropout_in=0.3, dropout_out=0.4)
    recurrent = Recurrent(options)
    found = {
        "embedding": recurrent.embed.out_features,
        "hidden": recurrent.recurrent.hidden_size,
        "layers": recurrent.recurrent.num_layers,
        "dropout_in": recurrent.dropout_in.p,
        "dropout_out": recurrent.dropout_out.p,
    }
    assert found == {field.name: getattr(options, field.name) for field in fields(options)}
    assert recurrent.norm_in is not recurrent.norm_out  # two of them: the tensors they see are unlike each other
    recurrent.train()
    assert not torch.equal(recurrent(roll(2).float())[0], recurrent(roll(2).float())[0])


def test_the_loss_is_the_cross_entropy_of_each_step_told_by_those_before_it(window_corpus: WindowCorpus) -> None:
    lstm = Lstm(replace(SMALL, dropout_in=0, dropout_out=0), LstmConfig(), window_corpus, seed=0, horizon=100)
    lstm.module.eval()
    windows = lstm.windows.draw(4).bar
    sounding = (windows > 0).float()
    probability = lstm.module(sounding)[0].sigmoid()
    naive = F.binary_cross_entropy(probability[:, :127], sounding[:, 1:])
    torch.testing.assert_close(lstm.losses(windows)["loss"], naive)
    assert ((windows > 0) & (windows < 1)).any()  # velocities do not enter


def test_the_learning_rate_rises_and_falls_in_triangles() -> None:
    config = LstmConfig(triangles=2, learning_rate_floor=0.2)
    found = [triangle(progress, config) for progress in (0, 0.125, 0.25, 0.375, 0.5, 0.75, 1)]
    assert found == pytest.approx([0.2, 0.6, 1, 0.6, 0.2, 1, 0.2])
    assert triangle(0.3, replace(config, learning_rate_floor=1.0)) == 1


def effects(corpus: Corpus) -> dict[str, tuple[LstmConfig, Callable[[Lstm], Any]]]:
    """Of every number: a config with another value, and what to look at after three steps."""
    usual = LstmConfig(batch_size=2)

    def gradient(lstm: Lstm) -> bool:
        norm = torch.cat([p.grad.flatten() for p in lstm.module.parameters() if p.grad is not None]).norm()
        return bool(norm <= 1e-3 * 1.001)

    def temperature(lstm: Lstm) -> list[float]:
        heard = []
        usual_sample = lstm.music.sample

        def sample(logits: torch.Tensor, *, temperature: float, noise: torch.Generator) -> torch.Tensor:
            heard.append(temperature)
            return usual_sample(logits, temperature=temperature, noise=noise)

        lstm.music.sample = sample  # type: ignore[method-assign]
        lstm.generate(corpus.melody[:1], np.zeros((1, 2, 4), np.int8), seed=0)
        return sorted(set(heard))

    def rate(lstm: Lstm) -> float:
        return float(lstm.optimiser.param_groups[0]["lr"])

    return {
        "learning_rate": (replace(usual, learning_rate=2e-2), rate),
        "learning_rate_floor": (replace(usual, learning_rate_floor=0.5), rate),
        "triangles": (replace(usual, triangles=1), rate),
        "batch_size": (replace(usual, batch_size=5), lambda lstm: lstm.bars_seen),
        "weight_decay": (
            replace(usual, weight_decay=0.5),
            lambda lstm: (lstm.optimiser.param_groups[0]["weight_decay"], lstm.module.output.weight.norm().item()),
        ),
        "clip_norm": (replace(usual, clip_norm=1e-3), gradient),
        "transpose": (replace(usual, transpose=False), lambda lstm: lstm.windows.items),
        "temperature": (replace(usual, temperature=0.5), temperature),
    }


def test_every_number_has_a_test() -> None:
    assert set(effects(None)) == {field.name for field in fields(LstmConfig)}  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [field.name for field in fields(LstmConfig)])
def test_every_number_reaches_its_place(name: str, corpus: Corpus) -> None:
    changed, look = effects(corpus)[name]
    found = []
    for config in (LstmConfig(batch_size=2), changed):
        lstm = Lstm(SMALL, config, corpus, seed=0, horizon=400)
        lstm.train(until=3 * 16)
        found.append(look(lstm))
    assert found[0] != found[1]
    expected = {
        "learning_rate": 2 * found[0] if name == "learning_rate" else None,
        "learning_rate_floor": 1e-2 * triangle(2 * 16 / 400, changed),
        "triangles": 1e-2 * triangle(2 * 16 / 400, changed),
        "batch_size": 80,
        "clip_norm": True,
        "transpose": len(corpus.phrases(Split.TRAIN)),
        "temperature": [0.5],
    }
    if name in expected:
        assert found[1] == pytest.approx(expected[name])
    else:
        assert found[1][0] == 0.5
        assert found[1][1] < found[0][1]


def alternating(corpus: Corpus) -> Corpus:
    """Every bar takes turns between a pitch, which is its song's, and the one an octave above."""
    pitch = 60 + corpus.song % 5
    steps = np.arange(16) % 2 * 12
    return replace(corpus, melody=(pitch[:, None] + steps).astype(np.int8))


def test_it_learns_to_go_on_from_a_bar(corpus: Corpus) -> None:
    music = alternating(corpus)
    config = LstmConfig(transpose=False, temperature=0.2, learning_rate=5e-2, triangles=1, weight_decay=0.0)
    lstm = Lstm(LstmNetwork(embedding=32, hidden=32, layers=1), config, music, seed=0, horizon=64 * 60)
    first = lstm.train(until=64 * 5)["loss"]
    last = lstm.train(until=64 * 60)["loss"]
    assert last < first / 3
    rows = music.phrases(Split.PROMPTS)
    written = lstm.generate(music.melody[rows[:, 0]], music.chord[rows], seed=3)
    assert (written == music.melody[rows]).mean() > 0.9


def test_a_phrase_begins_with_its_bar_and_may_have_any_length(
    music: Corpus | WindowCorpus, small: Make, prompts: Make
) -> None:
    lstm = small("lstm", music)
    first_bar, chord = prompts(music)
    for bars in (1, 3, 8, 10):
        beats = np.resize(chord, (len(first_bar), bars, 4))
        written = lstm.generate(first_bar, beats, seed=0)
        assert written.shape == (len(first_bar), bars, *first_bar.shape[1:])
        assert written.dtype == first_bar.dtype
        np.testing.assert_array_equal(written[:, 0], first_bar)
    assert (lstm.generate(first_bar, chord, seed=0) != lstm.generate(first_bar, chord, seed=1)).any()


def test_sampled_notes_of_a_piano_have_the_median_velocity(
    window_corpus: WindowCorpus, small: Make, prompts: Make
) -> None:
    written = small("lstm", window_corpus).generate(*prompts(window_corpus), seed=0)[:, 1:]
    velocity = Lstm(SMALL, LstmConfig(), window_corpus, seed=0, horizon=1).music.loudness * 127
    assert set(np.unique(written)) == {0, round(velocity)}
    assert ((written > 0).sum(-1) > 1).any()


@pytest.mark.parametrize("transpose", [False, True])
def test_no_key_is_struck_outside_the_training_register(
    music: Corpus | WindowCorpus, transpose: bool, prompts: Make, small: Make
) -> None:
    lstm = small("lstm", music, config=LstmConfig(transpose=transpose))
    written = lstm.generate(*prompts(music), seed=0)[:, 1:]  # untrained: any key is as likely as another
    struck = written if isinstance(music, Corpus) else np.nonzero(written)[-1]
    lowest, highest = lstm.music.register
    slack = (5, 6) if transpose else (0, 0)
    assert struck.min() == lowest - slack[0]
    assert struck.max() == highest + slack[1]


def test_the_median_velocity_counts_as_sounding_to_the_writer(window_corpus: WindowCorpus, small: Make) -> None:
    quiet = replace(window_corpus, velocity=np.ones_like(window_corpus.velocity))
    lstm = small("lstm", quiet)
    first_bar = quiet.rasterise(quiet.rows(Split.TEST))[:, :16]
    written = lstm.generate(first_bar, np.full((len(first_bar), 2, 4), 24, np.int8), seed=0)
    assert set(np.unique(written[:, 1:])) == {0, 1}
