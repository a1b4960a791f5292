"""Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957), with its power iteration under our control."""

import torch
from torch import Tensor, nn

_WARM_UP_ITERATIONS = 15


class SpectralScale(nn.Module):
    """The factor that brings a matrix to operator norm `gain`: gain / sigma.

    The singular vectors move only in `iterate`, once per update of the player they belong to. In every forward pass
    they are constants, and the gradient flows through sigma = u^T W v, so that repeated passes within one training
    step see one and the same function.
    """

    u: Tensor
    v: Tensor

    def __init__(self, matrix: Tensor, *, learned_gain: bool) -> None:
        super().__init__()
        rows, columns = matrix.shape
        self.register_buffer("u", nn.functional.normalize(torch.randn(rows), dim=0))
        self.register_buffer("v", nn.functional.normalize(torch.randn(columns), dim=0))
        self.gain = nn.Parameter(torch.ones(())) if learned_gain else None
        for _ in range(_WARM_UP_ITERATIONS):
            self.iterate(matrix)

    @torch.no_grad()
    def iterate(self, matrix: Tensor) -> None:
        """One step of power iteration on `matrix`."""
        self.v.copy_(nn.functional.normalize(matrix.T @ self.u, dim=0))
        self.u.copy_(nn.functional.normalize(matrix @ self.v, dim=0))

    def forward(self, matrix: Tensor) -> Tensor:
        """Scalar by which to multiply the weights that `matrix` is made of."""
        # Clones: the next iteration overwrites the vectors while a graph may still hold them.
        sigma = self.u.clone() @ (matrix @ self.v.clone())
        return (1.0 if self.gain is None else self.gain) / sigma
