"""Batches of bars, drawn on the device: every bar in each of the twelve keys once an epoch."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from data_prep.bars import SILENCE
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError

PITCHES: Final = 128
SHIFTS: Final = range(-5, 7)
"""Semitones of the twelve transpositions, chosen to move the register least."""


Roll = Float[Tensor, "batch time pitch"]
"""Piano rolls: 0 or 1, probabilities, or loudness from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What is real, as piano rolls (of piano music, loudness from 0 to 1), and what both players are told besides.

    Of MidiNet that is the bars before (B, T, P) and the chord classes (B, K); of an unconditional system nothing.
    """

    bar: Roll
    condition: tuple[Tensor, ...]


class Dealer(ABC):
    """Deals the items of some music in a shuffled order, which begins anew when it runs out.

    Attributes:
        items: of one epoch.
        bars_per_item: bars that each of them shows.
        rests: whether there is silence in the music.
    """

    def __init__(self, items: int, *, bars_per_item: int, rests: bool, seed: int) -> None:
        self.items = items
        self.rests = rests
        self.bars_per_item = bars_per_item
        self._generator = torch.Generator().manual_seed(seed)
        self._order = torch.empty(0, dtype=torch.int32)
        self._next = 0

    @abstractmethod
    def batch(self, items: Int[Tensor, " batch"]) -> Batch:
        """The batch of these items (on the CPU), on the device."""

    def draw(self, size: int) -> Batch:
        """The next `size` items; an epoch's remainder that fills no batch is left out."""
        if self._next + size > len(self._order):
            self._order = self._shuffled(size)
            self._next = 0
        self._next += size
        return self.batch(self._order[self._next - size : self._next].long())

    def sample(self, size: int, seed: int) -> Batch:
        """`size` items by chance that depend on `seed` alone; the order is left as it is."""
        generator = torch.Generator().manual_seed(seed)
        return self.batch(torch.randint(self.items, (size,), generator=generator))

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


def one_hot(melody: Int[Tensor, "*batch time"]) -> Float[Tensor, "*batch time pitch"]:
    """Pitches, -1 for silence, to a float32 piano roll."""
    index = melody.long().unsqueeze(-1)
    roll = torch.zeros((*melody.shape, PITCHES), device=melody.device)
    return roll.scatter_(-1, index.clamp(min=0), (index >= 0).float())


class BarDealer(Dealer):
    """Bars of one split of a corpus with the bars before them, on the device, in twelve keys.

    An item is `bars` consecutive bars as one matrix, in one key; so many bars before it, silent where there are none,
    are its previous matrix. Chords are those of the bars, or with `chords_per_bar` 4 those of their beats.

    Raises:
        UserError: the split holds no `bars` consecutive bars.
    """

    def __init__(
        self,
        corpus: Corpus,
        *,
        device: torch.device,
        seed: int,
        bars: int = 1,
        chords_per_bar: int = 1,
        split: Split = Split.TRAIN,
    ) -> None:
        rows = corpus.phrases(split, bars)
        if not len(rows):
            raise UserError(f"The corpus has no {bars} consecutive bars in its {split.name.lower()} songs.")
        silence = np.full((1, corpus.melody.shape[1]), SILENCE, np.int8)
        melody = np.concatenate([corpus.melody, silence])  # row -1: a song's first bar follows silence
        chord = corpus.chord if chords_per_bar > 1 else corpus.first_chord[:, None]
        self._bar = _on_device(melody[rows].reshape(len(rows), -1), device)
        self._previous = _on_device(melody[_before(corpus.prev, rows)].reshape(len(rows), -1), device)
        self._chord = _on_device(chord[rows].reshape(len(rows), -1), device)
        rests = bool((corpus.melody == SILENCE).any())  # where no rest was kept, none may be written
        super().__init__(len(rows) * len(SHIFTS), bars_per_item=bars, rests=rests, seed=seed)

    @property
    def register(self) -> tuple[int, int]:
        """Lowest and highest pitch, in any of the keys; all pitches where there is no note."""
        sounding = self._bar[self._bar >= 0]
        if not len(sounding):
            return 0, PITCHES - 1
        low, high = int(sounding.min()) + SHIFTS.start, int(sounding.max()) + SHIFTS[-1]
        return max(low, 0), min(high, PITCHES - 1)

    def batch(self, items: Int[Tensor, " batch"]) -> Batch:
        """Bars, the bars before them and chords, each in its key."""
        items = items.to(self._bar.device, non_blocking=True)
        row, shift = items // len(SHIFTS), items % len(SHIFTS) + SHIFTS.start
        bar, previous = self._bar[row], self._previous[row]
        both = torch.cat([bar, previous], dim=1)
        shift = within_range(torch.where(both >= 0, both, PITCHES - 1).amin(1), both.amax(1), shift)
        return Batch(
            bar=one_hot(_transpose(bar, shift)),
            condition=(one_hot(_transpose(previous, shift)), _transpose_chord(self._chord[row], shift)),
        )


def _before(prev: NDArray[np.int32], rows: NDArray[np.int32]) -> NDArray[np.int32]:
    """Rows (N, bars) of the bars directly before those of `rows` (N, bars), in order; -1 where there is none."""
    columns = [prev[rows[:, 0]]]
    for _ in range(rows.shape[1] - 1):
        columns.append(np.where(columns[-1] < 0, -1, prev[columns[-1]]))
    return np.stack(columns[::-1], axis=1)


def _on_device(array: NDArray[Any], device: torch.device) -> Tensor:
    # A copy: arrays from Ray's object store are read-only views.
    return torch.from_numpy(array.astype(np.int16)).to(device)


def within_range(
    lowest: Int[Tensor, " batch"], highest: Int[Tensor, " batch"], shift: Int[Tensor, " batch"]
) -> Int[Tensor, " batch"]:
    """Shifts (semitones) that keep music between these pitches within MIDI's range, if need be an octave aside.

    Music over nearly all of the range stays where it is.
    """
    lowest, highest = lowest + shift, highest + shift
    octave = 12 * (lowest < 0).long() - 12 * (highest >= PITCHES).long()
    fits = (highest + octave < PITCHES) & (lowest + octave >= 0)
    return torch.where(fits, shift + octave, 0)


def _transpose(melody: Tensor, shift: Tensor) -> Tensor:
    return torch.where(melody >= 0, melody + shift.unsqueeze(1), -1)


def _transpose_chord(chord: Tensor, shift: Tensor) -> Tensor:
    moved = (chord % 12 + shift.unsqueeze(1)) % 12 + chord // 12 * 12
    return torch.where(chord == NO_CHORD, NO_CHORD, moved).long()
