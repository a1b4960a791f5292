"""The end of the scale: the phrases that the prompts were taken from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scores.baselines.music import Lines, begin


@dataclass(frozen=True, slots=True, eq=False)
class RealContinuations:
    """Every prompt goes on as it really did: what a perfect system would reach.

    Attributes:
        phrases: int8 (P, B, 16), the real phrases.
        chord: int8 (P, B), their chord classes.

    Raises:
        ValueError: if the shapes do not fit, or a value is no pitch or chord class.
    """

    phrases: Lines
    chord: NDArray[np.int8]

    def __post_init__(self) -> None:
        if self.phrases.ndim != 3:
            raise ValueError(f"Real phrases are (P, B, 16), not {self.phrases.shape}.")
        if begin(self.phrases[:, 0], self.chord).shape != self.phrases.shape:
            raise ValueError(f"Real phrases {self.phrases.shape} do not fit their chords {self.chord.shape}.")

    def generate(self, first_bar: Lines, chord: NDArray[np.int8], *, seed: int) -> Lines:
        """As `Baseline.generate`; equal prompts get the phrases that began so in turn. The seed plays no part.

        Raises:
            ValueError: if no phrase began with such a bar over such chords.
        """
        known = _prompts(self.phrases[:, 0], self.chord)
        asked = _prompts(begin(first_bar, chord)[:, 0], chord)
        if asked.shape[1] != known.shape[1]:
            raise ValueError(f"The real phrases have {self.chord.shape[1]} bars, not {chord.shape[1]}.")
        identity = np.unique(np.concatenate([known, asked]), axis=0, return_inverse=True)[1].reshape(-1)
        known_id, asked_id = identity[: len(known)], identity[len(known) :]
        num = np.bincount(known_id, minlength=len(identity))
        if not num[asked_id].all():
            unknown = int(np.argmin(num[asked_id]))
            raise ValueError(f"Prompt {unknown} has no real phrase: none begins with this bar over these chords.")
        by_id = np.argsort(known_id, kind="stable")
        first = np.cumsum(num) - num
        return self.phrases[by_id[first[asked_id] + _turn(asked_id) % num[asked_id]]]


def _prompts(first_bar: Lines, chord: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.concatenate([first_bar, chord], axis=1)


def _turn(identity: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many equal values stand before each."""
    order = np.argsort(identity, kind="stable")
    num = np.bincount(identity)
    turn = np.empty_like(order)
    turn[order] = np.arange(len(identity)) - (np.cumsum(num) - num)[identity[order]]
    return turn
