"""Batches of windows, drawn on the device, in a shuffled order that a checkpoint can restore."""

import torch
from jaxtyping import Int, UInt8
from torch import Tensor

from data_prep.corpus import Split
from data_prep.errors import UserError
from trainables.batches import PITCHES, SHIFTS, Batch, Dealer, within_range
from trainables.rolls.music import BARS, Music


class RollWindows(Dealer):
    """The windows of one split of a corpus, once an epoch, or with `transpose` once in each of the twelve keys.

    Batches have no condition; their cells are 0 to 1, the loudest.

    Raises:
        UserError: the split holds no window.
    """

    def __init__(self, music: Music, *, seed: int, transpose: bool = False, split: Split = Split.TRAIN) -> None:
        self._music = music
        self._windows = music.windows(split)
        if not len(self._windows):
            raise UserError(
                f"The corpus has no window of 128 steps (eight consecutive bars) in its {split.name.lower()} songs: "
                "prepare it from more or longer songs."
            )
        self._shifts = SHIFTS if transpose else range(1)
        super().__init__(len(self._windows) * len(self._shifts), bars_per_item=BARS, rests=music.rests, seed=seed)

    @property
    def register(self) -> tuple[int, int]:
        """Lowest and highest pitch of the training windows, in any of the keys."""
        lowest, highest = self._music.register
        return max(lowest + self._shifts[0], 0), min(highest + self._shifts[-1], PITCHES - 1)

    def batch(self, items: Int[Tensor, " batch"]) -> Batch:
        """Windows, each in its key."""
        rolls = self._music.rolls(self._windows[items // len(self._shifts)])
        if len(self._shifts) > 1:
            shift = items % len(self._shifts) + self._shifts.start
            rolls = transposed(rolls, shift.to(rolls.device))
        return Batch(bar=rolls.float() / self._music.loudest, condition=())


def transposed(rolls: UInt8[Tensor, "batch time 128"], shift: Int[Tensor, " batch"]) -> UInt8[Tensor, "batch time 128"]:
    """Each roll moved by its own shift (semitones, less than an octave).

    One that would leave MIDI's range is moved an octave back; over nearly all of the range it stays where it is.
    """
    pitch = torch.arange(PITCHES, device=rolls.device)
    used = rolls.amax(1) > 0
    lowest, highest = torch.where(used, pitch, PITCHES - 1).amin(1), torch.where(used, pitch, 0).amax(1)
    shift = within_range(lowest, highest, shift)
    source = (pitch - shift.unsqueeze(1)) % PITCHES  # what wraps around is silent, or it would not fit
    return rolls.gather(2, source.unsqueeze(1).expand_as(rolls))
