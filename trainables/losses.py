"""The losses of both players (§4.3; MidiNet, arXiv 1703.10847), on logits and averaged over the batch."""

import torch
from torch import Tensor
from torch.nn import functional as F


def discriminator_loss(real: Tensor, fake: Tensor, real_label: float) -> Tensor:
    """Cross-entropy of real logits (B,) against `real_label` plus that of fake logits (B,) against 0."""
    return F.binary_cross_entropy_with_logits(real, torch.full_like(real, real_label)) + F.softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Non-saturating cross-entropy of fake logits (B,) against 1 (Goodfellow et al. 2014)."""
    return F.softplus(-fake).mean()


def mean_matching(real: Tensor, fake: Tensor) -> Tensor:
    """Half the squared distance between the batch means of real and fake (B, ...): a sum over all elements."""
    return (real.mean(0) - fake.mean(0)).square().sum() / 2
