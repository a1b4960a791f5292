"""The plain GAN's networks."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from trainables.config import TrainConfig
from trainables.rolls.gan import Gan, WindowDiscriminator, WindowGenerator
from trainables.rolls.options import GanNetwork

Make = Callable[..., Any]
SMALL = GanNetwork(noise=8, hidden=16, width=128, discriminator_width=1)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def test_weights_are_the_papers_but_for_the_linear_layer_that_its_text_adds() -> None:
    added = 1024 * 1024 + 1024
    assert count(WindowGenerator(GanNetwork())) == 13_763_113 + added
    assert count(WindowDiscriminator(GanNetwork())) == 15_633


def test_maps_grow_as_the_papers() -> None:
    sizes = []
    generator = WindowGenerator(GanNetwork()).eval()
    for layer in generator.convolutions:
        if isinstance(layer, nn.ConvTranspose2d):
            layer.register_forward_hook(lambda _, __, maps: sizes.append(tuple(maps.shape[1:])))
    with torch.no_grad():
        window = generator(torch.randn(1, 1024))
    widths = [384, 256, 192, 128, 96, 64, 48, 32, 16, 8, 4, 1]
    columns = [8, 8, 16, 16, 32, 32, 64, 64, 128, 128, 128, 128]
    assert sizes == [(width, side, side) for width, side in zip(widths, columns, strict=True)]
    assert window.shape == (1, 128, 128)
    assert 0 < window.min() < window.max() < 1


def test_normalisation_follows_relu_and_the_last_convolution_has_neither() -> None:
    kinds = [type(layer) for layer in WindowGenerator(SMALL).convolutions]
    assert kinds == [nn.ConvTranspose2d, nn.ReLU, nn.BatchNorm2d] * 11 + [nn.ConvTranspose2d]


def test_a_discriminator_has_no_normalisation_and_says_nothing_of_other_windows() -> None:
    torch.manual_seed(0)
    discriminator = WindowDiscriminator(SMALL).double()
    windows = torch.rand(5, 128, 128).double()
    logits, features = discriminator(windows)
    assert logits.shape == (5,)
    assert features.shape == (5, 1, 61, 61)
    assert torch.equal(features, discriminator.features(windows))
    torch.testing.assert_close(discriminator(windows[:1])[0], logits[:1])
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in discriminator.modules())


def test_every_option_of_the_networks_reaches_its_place() -> None:
    options = GanNetwork(noise=7, hidden=9, width=256, discriminator_width=3)
    generator, discriminator = WindowGenerator(options), WindowDiscriminator(options)
    found = {
        "noise": generator.dense[0].in_features,
        "hidden": generator.dense[0].out_features,
        "width": generator.convolutions[0].in_channels,
        "discriminator_width": discriminator.first.out_channels,
    }
    assert found == {field.name: getattr(options, field.name) for field in fields(options)}
    assert generator.noise == 7
    assert (discriminator.second.out_channels, discriminator.third.out_channels) == (6, 12)


def test_every_weight_of_both_players_learns(music: Corpus | WindowCorpus) -> None:
    config = TrainConfig(batch_size=4, g_updates=1, feature_weight=0.1, mean_weight=0.01, initialisation="dcgan")
    gan = Gan(SMALL, config, music, seed=0, horizon=1000)
    players = (gan.players.generator, gan.players.discriminator)
    before = [[p.detach().clone() for p in player.parameters()] for player in players]
    gan.train(until=3 * 64)
    for player, old in zip(players, before, strict=True):
        for (name, parameter), was in zip(player.named_parameters(), old, strict=True):
            assert not torch.equal(parameter, was), name


def test_music_is_of_the_average(corpus: Corpus, small: Make, prompts: Make) -> None:
    gan = small("gan", corpus)
    gan.train(until=96)
    first = gan.generate(*prompts(corpus), seed=1)
    with torch.no_grad():
        for parameter in gan.players.generator.parameters():
            parameter.zero_()
    np.testing.assert_array_equal(gan.generate(*prompts(corpus), seed=1), first)


def test_the_judged_generator_has_the_statistics_of_its_own_windows(corpus: Corpus, small: Make) -> None:
    gan = small("gan", corpus)
    gan.train(until=48)
    average = gan.judged_generator()
    noise = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    seen: list[torch.Tensor] = []
    for layer in average.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(lambda norm, _, maps: seen.append((maps - norm.bias[:, None, None]).var()))
    with torch.no_grad():
        average(noise)
    assert not average.training
    assert all(0.5 < variance < 2 for variance in seen)  # statistics of nothing leave next to none


def test_diagnostics_are_of_held_out_windows(music: Corpus | WindowCorpus, small: Make) -> None:
    gan = small("gan", music)
    gan.train(until=48)
    found = gan.diagnose(seed=0)
    assert all(np.isfinite(value) for value in found.values())
    real = music.rasterise(music.rows(Split.VALIDATION)) if isinstance(music, WindowCorpus) else None
    if real is not None:
        assert found["real_pitches"] == (real > 0).any((0, 1)).sum()
    assert not any("chord" in name or "previous" in name for name in found)


def test_without_held_out_windows_there_are_none(window_corpus: WindowCorpus, small: Make) -> None:
    split = np.where(window_corpus.split == Split.VALIDATION, Split.TEST, window_corpus.split).astype(np.int8)
    assert small("gan", replace(window_corpus, split=split)).diagnose(seed=0) == {}


@pytest.mark.parametrize("loss", ["bce", "hinge", "wgan_gp"])
def test_it_learns_by_every_loss(loss: Any, corpus: Corpus) -> None:
    config = TrainConfig(batch_size=3, g_updates=1, feature_weight=0.0, mean_weight=0.0, loss=loss)
    found = Gan(SMALL, config, corpus, seed=0, horizon=1000).train(until=96)
    assert np.isfinite(list(found.values())).all()
