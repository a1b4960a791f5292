"""What a system is judged by: rollouts from real prompts against the real phrases of songs it never trained on."""

from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import piano_roll
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from scores.objective import Reference

_REFERENCE_PHRASES: Final = 1024
_SAMPLES: Final = 3
_NOISE_SEED: Final = 20_200_619


class System(Protocol):
    """What every system can do once it is trained a little."""

    def generate(self, first_bar: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int) -> NDArray[np.int8]:
        """Phrases (M, B, 16) that begin with `first_bar` (M, 16) over the chords (M, B)."""
        ...


@dataclass(frozen=True, slots=True)
class Phrases:
    """Real phrases: pitches (M, B, 16) and the chord class of each bar (M, B)."""

    melody: NDArray[np.int8]
    chord: NDArray[np.int8]


def phrases(corpus: Corpus, split: Split, most: int, *, least: int = 2) -> Phrases:
    """At most `most` real eight-bar phrases of a split, spread evenly over its songs.

    Raises:
        UserError: fewer than `least`; with fewer than two, nothing can be compared.
    """
    rows = corpus.phrases(split)
    if len(rows) < least:
        raise UserError(
            f"The corpus has {len(rows)} eight-bar phrases in its {split.name.lower()} songs, but at least {least} "
            "are needed: prepare it from more songs."
        )
    rows = rows[_spread(len(rows), most)]
    return Phrases(melody=corpus.melody[rows], chord=corpus.first_chord[rows])


class Judge:
    """Judges systems on the same prompts with the same noise, so that only the systems differ."""

    def __init__(self, corpus: Corpus, *, rollouts: int, split: Split = Split.VALIDATION) -> None:
        if not len(corpus.rows(Split.TRAIN)):
            raise UserError("The corpus has no training songs: prepare it from more songs.")
        real = phrases(corpus, split, _REFERENCE_PHRASES)
        self.reference = Reference.fit(piano_roll(real.melody), real.chord)
        self.prompts = phrases(corpus, split, rollouts)
        self.listening = phrases(corpus, Split.PROMPTS, _SAMPLES, least=1)

    def evaluate(self, system: System) -> dict[str, float]:
        """Objective, family distances and mean scores of the system's rollouts; all finite."""
        melody = system.generate(self.prompts.melody[:, 0], self.prompts.chord, seed=_NOISE_SEED)
        return self.score(melody)

    def score(self, melody: NDArray[np.int8]) -> dict[str, float]:
        """The same of any phrases (M, 8, 16) over the chords of the prompts."""
        return self.reference.evaluate(piano_roll(melody), self.prompts.chord)

    def samples(self, system: System) -> dict[str, Any]:
        """Music to listen to, on prompts of songs kept for that: `melody`, `real` (M, 8, 16) and `chord` (M, 8)."""
        prompts = self.listening
        melody = system.generate(prompts.melody[:, 0], prompts.chord, seed=_NOISE_SEED)
        return {"melody": melody, "real": prompts.melody, "chord": prompts.chord}


def _spread(count: int, most: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.int64))
