"""Spectral normalisation (Miyato et al. 2018, arXiv 1802.05957), with its power iteration under our control."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from trainables.networks.placements import Bound

_WARM_UP_ITERATIONS = 15

Matrix = Float[Tensor, "rows columns"]


class SpectralScale(nn.Module):
    """The factor that brings a matrix to norm 1, or to a learned gain: gain / sigma.

    The singular vectors move only in `iterate`, once per update of the player they belong to. In every forward pass
    they are constants, and the gradient flows through sigma = u^T W v, so that repeated passes within one training
    step see one and the same function. The Frobenius norm is that of the matrix laid out as a single row.
    """

    u: Tensor
    v: Tensor

    def __init__(self, matrix: Matrix, bound: Bound) -> None:
        super().__init__()
        self.one_row = bound == "frobenius"
        rows, columns = self._laid_out(matrix).shape
        self.register_buffer("u", nn.functional.normalize(torch.randn(rows), dim=0))
        self.register_buffer("v", nn.functional.normalize(torch.randn(columns), dim=0))
        self.gain = nn.Parameter(torch.ones(())) if bound == "gain" else None
        self.warm_up(matrix)

    def warm_up(self, matrix: Matrix) -> None:
        """Bring the vectors close to those of a `matrix` they do not know yet."""
        for _ in range(_WARM_UP_ITERATIONS):
            self.iterate(matrix)

    @torch.no_grad()
    def iterate(self, matrix: Matrix) -> None:
        """One step of power iteration on `matrix`."""
        matrix = self._laid_out(matrix)
        nn.functional.normalize(matrix.T @ self.u, dim=0, out=self.v)
        nn.functional.normalize(matrix @ self.v, dim=0, out=self.u)

    def forward(self, matrix: Matrix) -> Float[Tensor, ""]:
        """Scalar by which to multiply the weights that `matrix` is made of."""
        # Clones: the next iteration overwrites the vectors while a graph may still hold them.
        sigma = self.u.clone() @ (self._laid_out(matrix) @ self.v.clone())
        return (1.0 if self.gain is None else self.gain) / sigma

    def _laid_out(self, matrix: Matrix) -> Float[Tensor, "_rows _columns"]:
        return matrix.reshape(1, -1) if self.one_row else matrix
