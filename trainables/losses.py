"""The losses of both players (§4.3; MidiNet, arXiv 1703.10847), on logits and averaged over the batch."""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from trainables.config import Loss

Logits = Float[Tensor, " batch"]
Scalar = Float[Tensor, ""]


def discriminator_loss(real: Logits, fake: Logits, loss: Loss, real_label: float) -> Scalar:
    """What D minimises, of the logits of real and generated bars.

    `bce`: cross-entropy against `real_label` plus that against 0; `hinge`: how far logits are from being beyond 1 and
    -1; `wgan_gp`: the difference of their means (its penalty is `gradient_penalty`).
    """
    if loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if loss == "wgan_gp":
        return fake.mean() - real.mean()
    return F.binary_cross_entropy_with_logits(real, torch.full_like(real, real_label)) + F.softplus(fake).mean()


def generator_loss(fake: Logits, loss: Loss) -> Scalar:
    """What G minimises: `bce`, the non-saturating cross-entropy against 1; else the mean logit, negated."""
    return F.softplus(-fake).mean() if loss == "bce" else -fake.mean()


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
