"""Batches of bars, drawn on the device: every bar in each of the twelve keys once per epoch."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split

PITCHES: Final = 128
SHIFTS: Final = range(-5, 7)
"""Semitones of the twelve transpositions, chosen to move the register least."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Bars (B, 16, P), the bars before them (B, 16, P), both 0 or 1, and chord classes (B,)."""

    bar: Tensor
    previous: Tensor
    chord: Tensor


def one_hot(melody: Tensor) -> Tensor:
    """Pitches (..., 16), -1 for silence, to a float32 piano roll (..., 16, P)."""
    index = melody.long().unsqueeze(-1)
    roll = torch.zeros((*melody.shape, PITCHES), device=melody.device)
    return roll.scatter_(-1, index.clamp(min=0), (index >= 0).float())


class TrainingBars:
    """The training bars of a corpus, on the device, dealt in a shuffled order that a checkpoint can restore."""

    def __init__(self, corpus: Corpus, *, device: torch.device, seed: int) -> None:
        rows = corpus.rows(Split.TRAIN)
        before = corpus.prev[rows]
        silence = np.full((1, corpus.melody.shape[1]), -1, np.int8)
        with_silence = np.concatenate([corpus.melody, silence])  # row -1: a song's first bar follows silence
        self._bar = _on_device(corpus.melody[rows], device)
        self._previous = _on_device(with_silence[before], device)
        self._chord = _on_device(corpus.first_chord[rows], device)
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int32)
        self._next = 0

    @property
    def items(self) -> int:
        """Bars times keys: one epoch."""
        return len(self._bar) * len(SHIFTS)

    def draw(self, size: int) -> Batch:
        """The next `size` items; an epoch's remainder that fills no batch is left out."""
        if self._next + size > len(self._order):
            self._order = self._shuffled(size)
            self._next = 0
        items = self._order[self._next : self._next + size].to(self._bar.device, non_blocking=True).long()
        self._next += size
        return self._batch(items)

    def sample(self, size: int, seed: int) -> Batch:
        """`size` items that depend on `seed` alone; the training order is left as it is."""
        items = torch.randint(self.items, (size,), generator=torch.Generator().manual_seed(seed))
        return self._batch(items.to(self._bar.device))

    def state_dict(self) -> dict[str, Any]:
        """Where the dealing stands."""
        return {"order": self._order, "next": self._next, "generator": self._generator.get_state()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on dealing from where `state` was taken."""
        self._order, self._next = state["order"], state["next"]
        self._generator.set_state(state["generator"])

    def _shuffled(self, size: int) -> Tensor:
        passes = -(-size // self.items)  # more than one where the corpus is smaller than a batch
        # int32: twelve keys of 200,000 bars are 20 MB as int64, in memory and in every checkpoint
        deal = [torch.randperm(self.items, generator=self._generator, dtype=torch.int32) for _ in range(passes)]
        return torch.cat(deal) if passes > 1 else deal[0]

    def _batch(self, items: Tensor) -> Batch:
        row, shift = items // len(SHIFTS), items % len(SHIFTS) + SHIFTS.start
        bar, previous = self._bar[row], self._previous[row]
        shift = _within_range(bar, previous, shift)
        return Batch(
            bar=one_hot(_transpose(bar, shift)),
            previous=one_hot(_transpose(previous, shift)),
            chord=_transpose_chord(self._chord[row], shift),
        )


def _on_device(array: NDArray[Any], device: torch.device) -> Tensor:
    # A copy: arrays from Ray's object store are read-only views.
    return torch.from_numpy(array.astype(np.int16)).to(device)


def _within_range(bar: Tensor, previous: Tensor, shift: Tensor) -> Tensor:
    both = torch.cat([bar, previous], dim=1)
    highest = both.amax(1) + shift
    lowest = torch.where(both >= 0, both, PITCHES - 1).amin(1) + shift
    octave = 12 * (lowest < 0).long() - 12 * (highest >= PITCHES).long()
    fits = (highest + octave < PITCHES) & (lowest + octave >= 0)
    return torch.where(fits, shift + octave, 0)  # a bar over nearly all of MIDI's range stays where it is


def _transpose(melody: Tensor, shift: Tensor) -> Tensor:
    return torch.where(melody >= 0, melody + shift.unsqueeze(1), -1)


def _transpose_chord(chord: Tensor, shift: Tensor) -> Tensor:
    moved = (chord % 12 + shift) % 12 + chord // 12 * 12
    return torch.where(chord == NO_CHORD, NO_CHORD, moved).long()
