"""The variational autoencoder: its networks, its loss, and what its options do."""

from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from trainables.rolls import unprompted
from trainables.rolls.options import VaeConfig, VaeNetwork
from trainables.rolls.vae import Autoencoder, Decoder, Encoder, MultiResBlock, Vae, kl_from_normal

Make = Callable[..., Any]
SMALL = VaeNetwork(latent=5, width=6)
USUAL = VaeConfig(batch_size=2)


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("outputs", [6, 7, 32, 64, 128])
def test_a_block_has_as_many_channels_as_asked_for(outputs: int) -> None:
    block = MultiResBlock(3, outputs)
    widths = [convolution[0].out_channels for convolution in block.chain]
    assert sum(widths) == outputs
    assert widths[:2] == [outputs // 6, outputs // 3]
    if outputs in (32, 64, 128):
        assert widths[2] == outputs // 2 + 1  # as the paper's code has it
    images = block(torch.rand(2, 3, 8, 8))
    assert images.shape == (2, outputs, 8, 8)
    assert images.min() > 0
    assert images.max() < 2  # two branches, each behind a sigmoid


def test_maps_and_weights_are_those_of_128_steps_by_128_pitches() -> None:
    options = VaeNetwork()
    encoder, decoder = Encoder(options), Decoder(options)
    assert encoder.blocks(torch.rand(1, 1, 128, 128)).shape == (1, 128, 8, 8)
    assert [block[0].shortcut[0].out_channels for block in encoder.blocks] == [32, 64, 128, 128]
    assert [block[0].shortcut[0].out_channels for block in decoder.blocks[:4]] == [64, 32, 32, 32]
    assert encoder.mean.in_features == decoder.linear.out_features == 8192
    assert count(Autoencoder(options)) == 6_487_124


def test_every_option_of_the_network_reaches_its_place() -> None:
    autoencoder = Autoencoder(VaeNetwork(latent=3, width=7))
    assert {field.name for field in fields(VaeNetwork)} == {"latent", "width"}
    assert (autoencoder.latent, autoencoder.encoder.mean.out_features, autoencoder.decoder.linear.in_features) == (
        3,
        3,
        3,
    )
    assert autoencoder.encoder.blocks[0][0].shortcut[0].out_channels == 7


def test_the_divergence_is_that_of_torch() -> None:
    mean, log_variance = torch.randn(2, 6, 4, generator=torch.Generator().manual_seed(0)).double().unbind(0)
    expected = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(kl_from_normal(mean, log_variance), expected)
    assert not kl_from_normal(torch.zeros(1, 3), torch.zeros(1, 3)).any()


class Saying(nn.Module):
    """Says the same whatever it is given, which it keeps."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, given: torch.Tensor) -> Any:
        self.given = given
        return self.answer


def test_the_decoder_sees_a_draw_from_the_posterior() -> None:
    torch.manual_seed(0)
    autoencoder, draws = Autoencoder(SMALL), 4000
    mean, log_variance = torch.arange(5.0), torch.linspace(-2, 1, 5)
    windows = torch.zeros(1, 128, 128).expand(draws, -1, -1)
    autoencoder.encoder = Saying((mean.expand(draws, -1), log_variance.expand(draws, -1)))  # type: ignore[assignment]
    autoencoder.decoder = Saying(windows)  # type: ignore[assignment]
    autoencoder(windows)
    vectors = autoencoder.decoder.given
    torch.testing.assert_close(vectors.mean(0), mean, atol=0.1, rtol=0)
    torch.testing.assert_close(vectors.var(0), log_variance.exp(), atol=0, rtol=0.1)


@torch.no_grad()
def test_what_it_makes_of_a_window_depends_on_no_other() -> None:
    torch.manual_seed(0)
    autoencoder = Autoencoder(SMALL).double()
    windows = torch.rand(8, 128, 128).double()
    autoencoder(windows)
    autoencoder.eval()
    for half, given in ((autoencoder.encoder, windows), (autoencoder.decoder, torch.randn(8, 5).double())):
        together, again, alone = (half(part) for part in (given, given, given[:1]))
        for one, two, three in zip(*map(as_tuple, (together, again, alone)), strict=True):
            assert torch.equal(one, two)
            torch.testing.assert_close(one[:1], three, rtol=1e-9, atol=1e-9)


def as_tuple(result: Any) -> tuple[torch.Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def losses(vae: Vae, seed: int = 0) -> dict[str, float]:
    windows = vae.windows.sample(2, seed).bar
    torch.manual_seed(seed)
    return {name: value.item() for name, value in vae.losses(windows).items()}


def test_the_loss_is_half_the_squared_error_and_the_weighted_divergence(window_corpus: WindowCorpus) -> None:
    vae = Vae(SMALL, replace(USUAL, beta=0.7, invert=False), window_corpus, seed=0, horizon=100)
    vae.module.eval()
    windows = vae.windows.sample(3, seed=0).bar
    torch.manual_seed(1)
    decoded, mean, log_variance = vae.module(windows)
    torch.manual_seed(1)
    found = vae.losses(windows)
    error = sum(((decoded[k] - windows[k]) ** 2).sum() / 2 for k in range(3)) / 3
    kl = sum((mean[k] ** 2 + log_variance[k].exp() - 1 - log_variance[k]).sum() / 2 for k in range(3)) / 3
    torch.testing.assert_close(found["reconstruction"], error)
    torch.testing.assert_close(found["kl"], kl)
    torch.testing.assert_close(found["loss"], error + 0.7 * kl)


def test_inverted_windows_are_shown_and_turned_back(window_corpus: WindowCorpus, prompts: Make) -> None:
    plain, inverted = (
        Vae(SMALL, replace(USUAL, invert=invert), window_corpus, seed=0, horizon=100) for invert in (False, True)
    )
    seen: list[torch.Tensor] = []
    for vae in (plain, inverted):
        vae.module.encoder.register_forward_hook(lambda _, given, __: seen.append(given[0]))
        losses(vae)
    torch.testing.assert_close(seen[1], 1 - seen[0])
    with torch.no_grad():
        for vae in (plain, inverted):
            vae.module.decoder.blocks[-2].bias.fill_(20.0)  # the decoder says 1 everywhere
    assert (plain.generate(*prompts(window_corpus), seed=0) == 127).all()
    assert not inverted.generate(*prompts(window_corpus), seed=0).any()


def test_the_warm_up_raises_the_weight_of_the_divergence_in_a_straight_line(corpus: Corpus) -> None:
    vae = Vae(SMALL, replace(USUAL, beta=2.0, kl_warm_up=0.5), corpus, seed=0, horizon=1000)
    found = []
    for vae.bars_seen in (0, 125, 250, 500, 750, 2000):
        found.append(vae.kl_weight)
        parts = losses(vae)
        assert parts["loss"] == pytest.approx(parts["reconstruction"] + vae.kl_weight * parts["kl"], rel=1e-5)
    assert found == pytest.approx([0, 0.5, 1, 2, 2, 2])
    assert Vae(SMALL, replace(USUAL, beta=2.0), corpus, seed=0, horizon=1000).kl_weight == 2


def test_free_bits_cost_what_they_are_and_push_nowhere(corpus: Corpus) -> None:
    plain, free = (Vae(SMALL, replace(USUAL, free_bits=bits), corpus, seed=0, horizon=10) for bits in (0.0, 1e4))
    found = losses(free)
    assert found["kl"] == pytest.approx(losses(plain)["kl"])
    assert found["loss"] - found["reconstruction"] == pytest.approx(5e4, rel=1e-3)
    windows, gradients = plain.windows.sample(2, seed=0).bar, []
    for vae in (plain, free):
        torch.manual_seed(0)
        parts = vae.losses(windows)
        (parts["loss"] - parts["reconstruction"]).backward()
        gradients.append(vae.module.encoder.mean.weight.grad.norm().item())
    assert gradients[0] > 0
    assert gradients[1] == pytest.approx(0, abs=1e-6)


def test_every_number_reaches_its_place(corpus: Corpus) -> None:
    config = VaeConfig(learning_rate=0.02, batch_size=3, beta=3.0, transpose=True)
    vae = Vae(SMALL, config, corpus, seed=0, horizon=100)
    vae.train(until=1)
    assert [group["lr"] for group in vae.optimiser.param_groups] == [0.02]
    assert vae.bars_seen == 24
    assert vae.windows.items == 12 * len(corpus.phrases(Split.TRAIN))
    assert vae.kl_weight == 3
    tested = {"kl_warm_up", "free_bits", "invert"}  # above
    assert {field.name for field in fields(VaeConfig)} == {"learning_rate", "batch_size", "beta", "transpose"} | tested


def test_it_learns(corpus: Corpus) -> None:
    config = VaeConfig(batch_size=4, learning_rate=1e-2, beta=0.1)
    vae = Vae(VaeNetwork(latent=8, width=6), config, corpus, seed=0, horizon=10_000)
    first = vae.train(until=32 * 3)
    last = vae.train(until=32 * 25)
    assert last["reconstruction"] < first["reconstruction"] / 4


def test_phrases_are_the_windows_of_random_vectors(corpus: Corpus, small: Make, prompts: Make) -> None:
    vae = small("vae", corpus)
    vae.train(until=48)
    first_bar, chord = prompts(corpus)
    written = vae.generate(first_bar, chord, seed=4)
    vae.module.eval()
    vectors = torch.randn(len(first_bar), 5, generator=torch.Generator().manual_seed(4))
    expected = (1 - vae.module.decoder(vectors)).argmax(-1)
    np.testing.assert_array_equal(written.reshape(-1, 128), expected.numpy())


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_shorter_phrases_are_cut_and_longer_ones_refused(
    name: str, music: Corpus | WindowCorpus, small: Make, prompts: Make
) -> None:
    system = small(name, music)
    first_bar, chord = prompts(music)
    whole = system.generate(first_bar, chord, seed=0)
    assert whole.shape == (len(first_bar), 8, *first_bar.shape[1:])
    assert whole.dtype == first_bar.dtype
    np.testing.assert_array_equal(system.generate(first_bar, chord[:, :3], seed=0), whole[:, :3])
    with pytest.raises(UserError, match="9 bars are asked for, but this system writes 8 at most"):
        system.generate(first_bar, np.repeat(chord[:, :1], 9, axis=1), seed=0)


@pytest.mark.parametrize("name", ["vae", "gan"])
def test_many_phrases_are_made_a_few_at_a_time(
    name: str, corpus: Corpus, small: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = small(name, corpus)
    system.train(until=1)
    monkeypatch.setattr(system.music, "write", torch.Tensor.numpy)  # what notes are made of shows more than they
    first_bar, chord = np.zeros((7, 16), np.int8), np.zeros((7, 8, 4), np.int8)
    whole = system.generate(first_bar, chord, seed=0)
    differences = whole.std(axis=0).max()
    assert differences > 1e-5
    monkeypatch.setattr(unprompted, "_AT_ONCE", 3)
    np.testing.assert_allclose(system.generate(first_bar, chord, seed=0), whole, rtol=0, atol=differences / 50)
    assert abs(system.generate(first_bar, chord, seed=1) - whole).max() > differences / 10
