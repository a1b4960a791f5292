"""What the two kinds of corpus are to a system on piano rolls: windows to learn from, a prompt, music to write."""

from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from numpy.typing import NDArray
from torch import Tensor

from data_prep.bars import NUM_PITCHES, SILENCE
from data_prep.corpus import Corpus, Split
from data_prep.windows import STEPS, WindowCorpus
from trainables.batches import one_hot
from trainables.sampling import binarise

BARS: Final = 8
"""Bars in a window."""
STEPS_PER_BAR: Final = STEPS // BARS

_LOUDEST: Final = 127
_SOUNDING: Final = 0.5


@runtime_checkable
class Music(Protocol):
    """The windows of a corpus, and the way from its form of music to piano rolls and back.

    Attributes:
        loudest: the largest cell a window may have.
        rests: whether there may be silence.
        loudness: what a cell of a note is worth, of 1, where a system knows only whether it sounds.
        register: lowest and highest pitch of the training songs.
    """

    loudest: int
    rests: bool
    loudness: float
    register: tuple[int, int]

    def windows(self, split: Split) -> Int[Tensor, " windows"]:
        """All windows of a split, as `rolls` knows them; on the CPU."""
        ...

    def rolls(self, windows: Int[Tensor, " batch"]) -> UInt8[Tensor, "batch 128 128"]:
        """Windows (time, pitch) of 0 to `loudest`, on the device."""
        ...

    def prompt(self, first_bar: NDArray[Any]) -> Float[Tensor, "batch 16 128"]:
        """Bars in the corpus's own form as piano rolls of 0 and 1."""
        ...

    def sample(
        self, logits: Float[Tensor, "batch 128"], *, temperature: float, noise: torch.Generator
    ) -> Float[Tensor, "batch 128"]:
        """One step of music, 0 and 1, from the log-odds that each key sounds."""
        ...

    def notes(self, roll: Float[Tensor, "batch time 128"]) -> Float[Tensor, "batch time 128"]:
        """The notes, 0 or 1, that piano rolls of probabilities or loudness, 0 to 1, are heard as."""
        ...

    def write(self, roll: Float[Tensor, "batch time 128"]) -> NDArray[Any]:
        """The same as bars in the corpus's own form, (batch, bars, ...)."""
        ...


def music_of(corpus: Corpus | WindowCorpus, device: torch.device) -> Music:
    """The music of a corpus."""
    return Melodies(corpus, device) if isinstance(corpus, Corpus) else PianoMusic(corpus, device)


class Melodies:
    """A corpus of bars: every eight consecutive bars of a song are a window, with one note a step or none."""

    loudest: int = 1
    loudness: float = 1.0

    def __init__(self, corpus: Corpus, device: torch.device) -> None:
        self._corpus = corpus
        self._melody = torch.from_numpy(corpus.melody.copy()).to(device)  # Ray's object store gives read-only views
        self._bars = torch.arange(BARS)
        self.rests = bool((corpus.melody == SILENCE).any())  # where no rest was kept, none may be written
        pitches = corpus.melody[corpus.rows(Split.TRAIN)]
        self.register = _register(pitches[pitches != SILENCE])

    def windows(self, split: Split) -> Int[Tensor, " windows"]:
        """The row of each window's first bar."""
        return torch.from_numpy(self._corpus.phrases(split, BARS)[:, 0].copy())

    def rolls(self, windows: Int[Tensor, " batch"]) -> UInt8[Tensor, "batch 128 128"]:
        """Windows of 0 and 1."""
        rows = windows.long().unsqueeze(1) + self._bars
        lines = self._melody[rows.to(self._melody.device)]
        return one_hot(lines.flatten(1)).to(torch.uint8)

    def prompt(self, first_bar: NDArray[np.int8]) -> Float[Tensor, "batch 16 128"]:
        """Pitches (M, 16), -1 for silence, as piano rolls."""
        return one_hot(torch.from_numpy(first_bar.copy()).to(self._melody.device))

    def sample(
        self, logits: Float[Tensor, "batch 128"], *, temperature: float, noise: torch.Generator
    ) -> Float[Tensor, "batch 128"]:
        """One note, or, where the corpus has rests, perhaps none.

        This is what independent keys of these odds do, given that at most one sounds: each in proportion to its odds,
        none in proportion to 1.
        """
        none = torch.zeros_like(logits[:, :1])
        logits = torch.cat([logits, none], dim=1) if self.rests else logits
        uniform = torch.rand(logits.shape, generator=noise).to(logits)
        choice = (logits / temperature - (-uniform.log()).log()).argmax(1)  # one of many, drawn by Gumbel noise
        return one_hot(torch.where(choice < NUM_PITCHES, choice, SILENCE).unsqueeze(1)).squeeze(1).to(logits)

    def notes(self, roll: Float[Tensor, "batch time 128"]) -> Float[Tensor, "batch time 128"]:
        """The likeliest pitch of each step (`sampling.binarise`)."""
        return one_hot(binarise(roll, rests=self.rests)).to(roll)

    def write(self, roll: Float[Tensor, "batch time 128"]) -> NDArray[np.int8]:
        """The same as pitches, int8 (M, B, 16), -1 for silence."""
        line = binarise(roll, rests=self.rests).to(torch.int8)
        bars: NDArray[np.int8] = line.unflatten(1, (-1, STEPS_PER_BAR)).cpu().numpy()
        return bars


class PianoMusic:
    """A corpus of windows: notes of any number at once, each with its velocity, rasterised when they are needed."""

    loudest: int = _LOUDEST
    rests: bool = True

    def __init__(self, corpus: WindowCorpus, device: torch.device) -> None:
        self._corpus, self._device = corpus, device
        rows = corpus.rows(Split.TRAIN)
        spans = [slice(*span) for span in zip(corpus.first_note[rows], corpus.end_note[rows], strict=True)]
        velocities, pitches = (
            np.concatenate([array[:0], *(array[span] for span in spans)]) for array in (corpus.velocity, corpus.pitch)
        )
        self.loudness = float(np.median(velocities)) / _LOUDEST if len(velocities) else 1.0
        self.register = _register(pitches)

    def windows(self, split: Split) -> Int[Tensor, " windows"]:
        """The row of each."""
        return torch.from_numpy(self._corpus.rows(split))

    def rolls(self, windows: Int[Tensor, " batch"]) -> UInt8[Tensor, "batch 128 128"]:
        """Windows of velocities."""
        return torch.from_numpy(self._corpus.rasterise(windows.numpy())).to(self._device)

    def prompt(self, first_bar: NDArray[np.uint8]) -> Float[Tensor, "batch 16 128"]:
        """Velocities (M, 16, 128) as piano rolls of what sounds."""
        return torch.from_numpy(first_bar > 0).to(self._device).float()

    def sample(
        self, logits: Float[Tensor, "batch 128"], *, temperature: float, noise: torch.Generator
    ) -> Float[Tensor, "batch 128"]:
        """Each key by itself, as likely as its odds say."""
        uniform = torch.rand(logits.shape, generator=noise).to(logits)
        return (uniform < (logits / temperature).sigmoid()).to(logits)

    def notes(self, roll: Float[Tensor, "batch time 128"]) -> Float[Tensor, "batch time 128"]:
        """Every cell of at least half the usual loudness, the median velocity of the training windows."""
        return (roll >= _SOUNDING * self.loudness).to(roll)

    def write(self, roll: Float[Tensor, "batch time 128"]) -> NDArray[np.uint8]:
        """The same as velocities, uint8 (M, B, 16, 128), 0 for silence."""
        velocity = (roll * _LOUDEST).round().clamp(1, _LOUDEST) * self.notes(roll)
        bars: NDArray[np.uint8] = velocity.to(torch.uint8).unflatten(1, (-1, STEPS_PER_BAR)).cpu().numpy()
        return bars


def _register(pitches: NDArray[np.integer]) -> tuple[int, int]:
    return (int(pitches.min()), int(pitches.max())) if len(pitches) else (0, NUM_PITCHES - 1)
