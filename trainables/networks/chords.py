"""Chord classes as the vector that a network sees."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from data_prep import chords
from trainables.networks.placements import Placement
from trainables.networks.spectral import SpectralScale
from trainables.variants import ChordCoding

CODE_WIDTH = chords.CODE.shape[1]
EMBEDDING_WIDTH = 100  # §5.2


class ChordCoder(nn.Module):
    """Classes of K chords to their vectors, of `width` each: fixed 13-vectors (§4.2) or learned embeddings (§5.2).

    Without a `width` the coding's own is taken: 13 or 100. The 13-vector reaches another width by a learned map.
    """

    table: Tensor

    def __init__(self, coding: ChordCoding, placement: Placement, width: int | None = None) -> None:
        super().__init__()
        self.width = width or (CODE_WIDTH if coding == "code" else EMBEDDING_WIDTH)
        self.embedding = nn.Embedding(chords.NUM_CHORDS, self.width) if coding == "embedding" else None
        self.project = nn.Linear(CODE_WIDTH, width, bias=False) if coding == "code" and width else None
        self.register_buffer("table", torch.from_numpy(chords.CODE.copy()), persistent=False)
        normalised = placement.embeddings and self.embedding is not None
        self.spectral = SpectralScale(self.matrix(), "operator") if normalised else None

    def matrix(self) -> Float[Tensor, "classes width"]:
        """Vectors of all classes, before they are normalised."""
        if self.embedding is not None:
            return self.embedding.weight
        return self.table if self.project is None else self.project(self.table)

    def forward(self, chord: Int[Tensor, "batch chords"]) -> Float[Tensor, "batch vector"]:
        """Vectors of the classes, side by side: (B, K) to (B, K * width)."""
        vectors = nn.functional.embedding(chord, self.matrix())
        if self.spectral is not None:
            vectors = vectors * self.spectral(self.matrix())
        return vectors.flatten(1)
