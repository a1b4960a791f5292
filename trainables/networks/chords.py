"""A chord class as the vector that a network sees."""

import torch
from torch import Tensor, nn

from data_prep import chords
from trainables.variants import ChordCoding

CODE_WIDTH = chords.CODE.shape[1]
EMBEDDING_WIDTH = 100  # §5.2


class ChordCoder(nn.Module):
    """Classes (B,) to vectors (B, `width`): the fixed 13-vector (§4.2) or a learned embedding (§5.2).

    Without a `width` the coding's own is taken: 13 or 100. The 13-vector reaches another width by a learned map.
    """

    table: Tensor

    def __init__(self, coding: ChordCoding, width: int | None = None) -> None:
        super().__init__()
        self.width = width or (CODE_WIDTH if coding == "code" else EMBEDDING_WIDTH)
        self.embedding = nn.Embedding(chords.NUM_CHORDS, self.width) if coding == "embedding" else None
        self.project = nn.Linear(CODE_WIDTH, width, bias=False) if coding == "code" and width else None
        self.register_buffer("table", torch.from_numpy(chords.CODE.copy()), persistent=False)

    def forward(self, chord: Tensor) -> Tensor:
        """Vectors (B, width) of the classes (B,)."""
        if self.embedding is not None:
            vectors: Tensor = self.embedding(chord)
            return vectors
        code = self.table[chord]
        return code if self.project is None else self.project(code)
