"""The losses against their formulas, written out with a loop or with the probabilities themselves."""

import math

import pytest
import torch
from torch import nn

from trainables.losses import discriminator_loss, generator_loss, mean_matching

REAL = [2.0, -1.0, 0.5, 0.0]
FAKE = [-3.0, 0.25, 1.5, -0.5]


def probability(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


@pytest.mark.parametrize("label", [0.7, 0.9, 1.0])
def test_discriminator_loss_is_cross_entropy_with_only_the_real_label_smoothed(label: float) -> None:
    on_real = [-label * math.log(probability(x)) - (1 - label) * math.log(1 - probability(x)) for x in REAL]
    on_fake = [-math.log(1 - probability(x)) for x in FAKE]
    expected = sum(on_real) / 4 + sum(on_fake) / 4
    assert discriminator_loss(torch.tensor(REAL), torch.tensor(FAKE), "bce", label).item() == pytest.approx(expected)


def test_discriminator_loss_is_torchs_own_on_probabilities() -> None:
    real, fake = torch.tensor(REAL), torch.tensor(FAKE)
    cross_entropy = nn.BCELoss()
    expected = cross_entropy(real.sigmoid(), torch.full((4,), 0.9)) + cross_entropy(fake.sigmoid(), torch.zeros(4))
    torch.testing.assert_close(discriminator_loss(real, fake, "bce", 0.9), expected)


def test_generator_loss_does_not_saturate_where_the_discriminator_wins() -> None:
    expected = sum(-math.log(probability(x)) for x in FAKE) / 4
    assert generator_loss(torch.tensor(FAKE), "bce").item() == pytest.approx(expected)
    lost = torch.full((4,), -50.0, requires_grad=True)
    generator_loss(lost, "bce").backward()
    # The minimax loss log(1 - D) would leave a gradient of 1e-22 here.
    torch.testing.assert_close(lost.grad, torch.full((4,), -0.25))


def test_losses_stay_finite_on_extreme_logits() -> None:
    far = torch.tensor([1e4, -1e4])
    assert discriminator_loss(far, far, "bce", 0.9).isfinite()
    assert generator_loss(far, "bce").isfinite()


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
