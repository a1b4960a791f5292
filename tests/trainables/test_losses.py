"""The losses against their formulas, written out with a loop or with the probabilities themselves."""

import math

import pytest
import torch
from torch import nn

from trainables.losses import LOSSES, gradient_penalty, mean_matching, squared_slopes

BCE = LOSSES["bce"]
REAL = [2.0, -1.0, 0.5, 0.0]
FAKE = [-3.0, 0.25, 1.5, -0.5]


def probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize("label", [0.7, 0.9, 1.0])
def test_discriminator_loss_is_cross_entropy_with_only_the_real_label_smoothed(label: float) -> None:
    on_real = [-label * math.log(probability(x)) - (1 - label) * math.log(1 - probability(x)) for x in REAL]
    on_fake = [-math.log(1 - probability(x)) for x in FAKE]
    expected = sum(on_real) / 4 + sum(on_fake) / 4
    assert BCE.discriminator(torch.tensor(REAL), torch.tensor(FAKE), label).item() == pytest.approx(expected)


def test_discriminator_loss_is_torchs_own_on_probabilities() -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    cross_entropy = nn.BCELoss()
    expected = cross_entropy(real.sigmoid(), torch.full((4,), 0.9)) + cross_entropy(fake.sigmoid(), torch.zeros(4))
    torch.testing.assert_close(BCE.discriminator(real, fake, 0.9), expected)


def test_generator_loss_does_not_saturate_where_the_discriminator_wins() -> None:
    expected = sum(-math.log(probability(x)) for x in FAKE) / 4
    assert BCE.generator(torch.tensor(FAKE)).item() == pytest.approx(expected)
    lost = torch.full((4,), -50.0, requires_grad=True)
    BCE.generator(lost).backward()
    # The minimax loss log(1 - D) would leave a gradient of 1e-22 here.
    torch.testing.assert_close(lost.grad, torch.full((4,), -0.25))


def test_losses_stay_finite_on_extreme_logits() -> None:
    far = torch.tensor([1e4, -1e4])
    assert BCE.discriminator(far, far, 0.9).isfinite()
    assert BCE.generator(far).isfinite()


def test_mean_matching_is_half_the_squared_distance_of_batch_means_summed_over_elements() -> None:
    numbers = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(5, 3, 4, generator=numbers) for _ in range(2))
    expected = 0.0
    for t in range(3):
        for c in range(4):
            distance = sum(real[b, t, c].item() for b in range(5)) / 5 - sum(fake[b, t, c].item() for b in range(5)) / 5
            expected += distance**2 / 2
    assert mean_matching(real, fake).item() == pytest.approx(expected, rel=1e-5)


def test_mean_matching_compares_means_and_not_bars() -> None:
    bars = torch.randn(6, 16, 8, generator=torch.Generator().manual_seed(0))
    assert mean_matching(bars, bars.flip(0)).item() == pytest.approx(0, abs=1e-10)


def test_hinge_leaves_alone_what_is_beyond_its_margin() -> None:
    expected = sum(max(0, 1 - x) for x in REAL) / 4 + sum(max(0, 1 + x) for x in FAKE) / 4
    assert LOSSES["hinge"].discriminator(torch.tensor(REAL), torch.tensor(FAKE), 0.9).item() == pytest.approx(expected)
    assert LOSSES["hinge"].discriminator(torch.full((3,), 1.0), torch.full((3,), -1.0), 0.9).item() == 0


def test_the_wasserstein_loss_is_the_difference_of_means() -> None:
    found = LOSSES["wgan_gp"].discriminator(torch.tensor(REAL), torch.tensor(FAKE), 0.9)
    assert found.item() == pytest.approx(sum(FAKE) / 4 - sum(REAL) / 4)


@pytest.mark.parametrize("loss", ["hinge", "wgan_gp"])
def test_the_generator_raises_its_mean_logit_under_both(loss: str) -> None:
    found = LOSSES[loss].generator(torch.tensor(FAKE))  # type: ignore[index]
    assert found.item() == pytest.approx(-sum(FAKE) / 4)


def test_slopes_are_those_of_each_bar_and_the_penalty_wants_them_to_be_one() -> None:
    bars = torch.randn(5, 16, 128, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(16, 128, dtype=torch.float64)
    squared = squared_slopes((bars * weight).sum((1, 2)) * torch.arange(1.0, 6, dtype=torch.float64), bars)
    expected = weight.norm() * torch.arange(1.0, 6, dtype=torch.float64)
    torch.testing.assert_close(squared.sqrt(), expected)
    torch.testing.assert_close(gradient_penalty(squared), (expected - 1).square().mean())


def test_a_slope_of_nothing_has_a_finite_penalty_and_derivative() -> None:
    slope = torch.zeros(3, requires_grad=True)
    penalty = gradient_penalty(slope)
    penalty.backward()
    assert penalty.item() == pytest.approx(1, rel=1e-5)
    assert slope.grad is not None
    assert slope.grad.isfinite().all()
