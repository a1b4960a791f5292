"""What a corpus of either kind gives a judge: real phrases, and the training music."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES, SILENCE, melody_line
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.windows import STEPS, WindowCorpus
from scores.cells import NUM_STEPS
from scores.copying import WINDOW_BARS, TrainingWindows
from scores.phrases import Music, Phrases, spread

NUM_BARS: Final = STEPS // NUM_STEPS
"""Bars of a phrase, and of a window: runs of sixteen steps."""

_AT_ONCE: Final = 1024
"""Windows rasterised at once: 16 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What is remembered of the training music."""

    windows: TrainingWindows
    """Its distinct runs of four bars, in which near copies are looked for."""
    register: tuple[int, int]
    """Its lowest and highest pitch."""


class Material(Protocol):
    """The music of a corpus, as judging needs it."""

    @property
    def listening(self) -> Split:
        """Whose phrases are played to people."""
        ...

    @property
    def steps_per_second(self) -> float | None:
        """How fast the music goes, where it is timed in seconds."""
        ...

    def phrases(self, split: Split, most: int, *, least: int = 2) -> Phrases:
        """At most `most` real phrases of a split, spread evenly over its songs.

        Raises:
            UserError: fewer than `least`; with fewer than two, nothing can be compared.
        """
        ...

    def training(self) -> Training:
        """What is remembered of the training music; UserError if there is none."""
        ...


def material(corpus: Corpus | WindowCorpus) -> Material:
    """The music of a corpus of either kind."""
    return BarMaterial(corpus) if isinstance(corpus, Corpus) else WindowMaterial(corpus)


@dataclass(frozen=True, slots=True, eq=False)
class BarMaterial:
    """A corpus of bars: a phrase is any run of eight of one song."""

    corpus: Corpus

    @property
    def listening(self) -> Split:
        """Songs are kept for that."""
        return Split.PROMPTS

    @property
    def steps_per_second(self) -> float | None:
        """None: bars go at any tempo."""
        return None

    def phrases(self, split: Split, most: int, *, least: int = 2) -> Phrases:
        """As `Material.phrases`."""
        corpus = self.corpus
        rows = _chosen(corpus.phrases(split, NUM_BARS), split, most, least, "eight-bar phrases")
        chord, beats = corpus.first_chord[rows], corpus.chord[rows]
        return Phrases(music=corpus.melody[rows], chord=chord, beats=beats, song=corpus.song[rows[:, 0]])

    def training(self) -> Training:
        """As `Material.training`."""
        corpus = self.corpus
        pitches = corpus.melody[corpus.rows(Split.TRAIN)]
        register = _register(pitches[pitches != SILENCE])
        lines = corpus.melody[corpus.phrases(Split.TRAIN, WINDOW_BARS)]
        return Training(windows=TrainingWindows.of_lines(lines), register=register)


@dataclass(frozen=True, slots=True, eq=False)
class WindowMaterial:
    """A corpus of windows: a phrase is a window, in eight runs of sixteen steps, and has no chords."""

    corpus: WindowCorpus

    @property
    def listening(self) -> Split:
        """Songs kept for that; where the splits are the publisher's and keep none, those that systems are judged by."""
        return Split.PROMPTS if len(self.corpus.rows(Split.PROMPTS)) else Split.VALIDATION

    @property
    def steps_per_second(self) -> float | None:
        """The sampling frequency."""
        return self.corpus.sampling_frequency

    def phrases(self, split: Split, most: int, *, least: int = 2) -> Phrases:
        """As `Material.phrases`."""
        rows = _chosen(self.corpus.rows(split), split, most, least, "windows")
        return Phrases(
            music=self.corpus.rasterise(rows).reshape(-1, NUM_BARS, NUM_STEPS, NUM_PITCHES),
            chord=np.full((len(rows), NUM_BARS), NO_CHORD, np.int8),
            beats=np.full((len(rows), NUM_BARS, 4), NO_CHORD, np.int8),
            song=self.corpus.song[rows],
        )

    def training(self) -> Training:
        """As `Material.training`; the line of polyphonic music is its highest voice."""
        rows = self.corpus.rows(Split.TRAIN)
        parts = np.array_split(rows, -(-len(rows) // _AT_ONCE) or 1)
        rolls = (self.corpus.rasterise(part) > 0 for part in parts)
        lines, used = zip(*((melody_line(roll), roll.any(axis=(0, 1))) for roll in rolls), strict=True)
        register = _register(np.flatnonzero(np.any(used, axis=0)))
        return Training(windows=TrainingWindows.of_lines(_runs(np.concatenate(lines))), register=register)


def _chosen(rows: NDArray[Any], split: Split, most: int, least: int, what: str) -> NDArray[Any]:
    """At most `most` of the rows, evenly; UserError if there are fewer than `least`."""
    if len(rows) < least:
        raise UserError(
            f"The corpus has {len(rows)} {what} in its {split.name.lower()} songs, but at least {least} "
            "are needed: prepare it from more songs."
        )
    return rows[spread(len(rows), most)]


def _register(pitches: Music) -> tuple[int, int]:
    """Lowest and highest pitch of the training music; UserError if there is none."""
    if not len(pitches):
        raise UserError("The corpus has no training songs: prepare it from more songs.")
    return int(pitches.min()), int(pitches.max())


def _runs(line: NDArray[np.int8]) -> NDArray[np.int8]:
    """All runs of four bars (W, 4, 16) inside windows (N, 128)."""
    starts = np.arange(NUM_BARS - WINDOW_BARS + 1)[:, None] + np.arange(WINDOW_BARS)
    return line.reshape(-1, NUM_BARS, NUM_STEPS)[:, starts].reshape(-1, WINDOW_BARS, NUM_STEPS)
