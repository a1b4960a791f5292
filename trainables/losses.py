"""The losses of both players (§4.3; MidiNet, arXiv 1703.10847), on logits and averaged over the batch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from trainables.config import Loss

Logits = Float[Tensor, " batch"]
Scalar = Float[Tensor, ""]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdversarialLoss:
    """What the players minimise, of the logits of real and of generated bars."""

    discriminator: Callable[[Logits, Logits, float], Scalar]
    """Of real logits, generated ones and the target for real bars, which not every loss has."""

    generator: Callable[[Logits], Scalar]

    penalised: bool = False
    """Whether D's gradient between real and generated bars is held to 1 (`gradient_penalty`)."""

    has_border: bool = True
    """Whether a logit of 0 stands between real and generated, and its sigmoid for a probability."""


def _cross_entropy(real: Logits, fake: Logits, real_label: float) -> Scalar:
    target = torch.full_like(real, real_label)
    return F.binary_cross_entropy_with_logits(real, target) + F.softplus(fake).mean()


def _raised(fake: Logits) -> Scalar:
    return -fake.mean()


LOSSES: Final[Mapping[Loss, AdversarialLoss]] = MappingProxyType(
    {
        # Non-saturating: G maximises the log-probability of being taken for real (Goodfellow et al. 2014).
        "bce": AdversarialLoss(discriminator=_cross_entropy, generator=lambda fake: F.softplus(-fake).mean()),
        # Logits beyond 1 and -1 are left alone (Lim & Ye 2017).
        "hinge": AdversarialLoss(
            discriminator=lambda real, fake, _: F.relu(1 - real).mean() + F.relu(1 + fake).mean(), generator=_raised
        ),
        # Gulrajani et al. 2017.
        "wgan_gp": AdversarialLoss(
            discriminator=lambda real, fake, _: fake.mean() - real.mean(),
            generator=_raised,
            penalised=True,
            has_border=False,
        ),
    }
)


def mean_matching(real: Float[Tensor, "batch ..."], fake: Float[Tensor, "batch ..."]) -> Scalar:
    """Half the squared distance between the batch means of real and fake: a sum over all elements."""
    return (real.mean(0) - fake.mean(0)).square().sum() / 2


def squared_slopes(logit: Logits, bar: Float[Tensor, "batch time pitch"]) -> Logits:
    """Squared norm of the gradient of each bar's logit with respect to the bar, itself differentiable.

    With batch normalisation a logit depends on the other bars too, and the gradient is that of the sum of all logits.
    """
    (gradient,) = torch.autograd.grad(logit.sum(), bar, create_graph=True)
    return gradient.square().flatten(1).sum(1)


def gradient_penalty(squared: Logits) -> Scalar:
    """How far slopes are from 1 (Gulrajani et al. 2017), of their squares."""
    # A slope of 0 has no derivative: the smallest number beside it has.
    return ((squared + 1e-12).sqrt() - 1).square().mean()
