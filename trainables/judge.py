"""What a system is judged by: rollouts from real prompts against the real phrases of songs it never trained on."""

from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import SILENCE, piano_roll
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from scores.balance import d_balance
from scores.copying import WINDOW_BARS, TrainingWindows
from scores.objective import BaseLine, Reference
from scores.phrases import Phrases, phrases, spread

_REFERENCE_PHRASES: Final = 1024
_HELD_OUT_BARS: Final = 1024
_SAMPLES: Final = 3
_NOISE_SEED: Final = 20_200_619


class System(Protocol):
    """What every system can do once it is trained a little."""

    def generate(self, first_bar: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int) -> NDArray[np.int8]:
        """Phrases (M, B, 16) that begin with `first_bar` (M, 16) over the chords (M, B)."""
        ...


class Adversaries(Protocol):
    """What a system of two players can do besides."""

    def logits(
        self, bar: NDArray[np.int8], previous: NDArray[np.int8], chord: NDArray[np.int8], *, seed: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What the discriminator says of real bars (N, 16), and of bars the generator writes in their place."""
        ...


@dataclass(frozen=True, slots=True)
class Prompts:
    """Real phrases whose first bars and chords systems go on from, and what their real continuations score."""

    phrases: Phrases
    base: BaseLine


class Judge:
    """Judges systems on the same prompts with the same noise, so that only the systems differ."""

    def __init__(
        self, corpus: Corpus, *, rollouts: int, early_rollouts: int = 64, split: Split = Split.VALIDATION
    ) -> None:
        training = corpus.melody[corpus.rows(Split.TRAIN)]
        if (training == SILENCE).all():
            raise UserError("The corpus has no training songs: prepare it from more songs.")
        real = phrases(corpus, split, _REFERENCE_PHRASES)
        sounding = training[training != SILENCE]
        self.reference = Reference.fit(
            real.roll,
            real.chord,
            song=real.song,
            training=TrainingWindows.of_lines(corpus.melody[corpus.phrases(Split.TRAIN, WINDOW_BARS)]),
            register=(int(sounding.min()), int(sounding.max())),
        )
        self.prompts = self._prompts(phrases(corpus, split, rollouts))
        self.early = self._prompts(self.prompts.phrases.spread(early_rollouts))
        self.listening = phrases(corpus, Split.PROMPTS, _SAMPLES, least=1)
        rows = np.flatnonzero((corpus.split[corpus.song] == split) & (corpus.prev >= 0))
        self._held_out = _bars(corpus, rows[spread(len(rows), _HELD_OUT_BARS)])

    def evaluate(self, system: System, *, early: bool = False) -> dict[str, float]:
        """Objectives, family distances and mean scores of the system's rollouts; all finite.

        `early` asks for fewer rollouts, from some of the prompts: enough to tell the worse half.
        """
        prompts = self.early if early else self.prompts
        real = prompts.phrases
        return self.score(system.generate(real.melody[:, 0], real.chord, seed=_NOISE_SEED), prompts)

    def score(self, melody: NDArray[np.int8], prompts: Prompts | None = None) -> dict[str, float]:
        """The same of any phrases (M, 8, 16) over the chords of the prompts."""
        prompts = prompts or self.prompts
        return self.reference.evaluate(piano_roll(melody), prompts.phrases.chord, prompts.base)

    def real(self, real: Phrases) -> dict[str, float]:
        """The same of real phrases, over their own chords.

        As other songs repeat themselves otherwise, copies are measured by their own base line, and are none.
        """
        usual = self.prompts.base
        own = replace(self._prompts(real).base, recall=usual.recall, coverage=usual.coverage)
        return self.score(real.melody, Prompts(real, own))

    def balance(self, players: Adversaries) -> float:
        """How well the discriminator tells held-out real bars from fresh fakes: 0 not at all, 1 every pair.

        1 as well where what it says is no number.
        """
        real, fake = players.logits(*self._held_out, seed=_NOISE_SEED)
        balance = d_balance(real, fake)
        return balance if np.isfinite(balance) else 1.0

    def samples(self, system: System) -> dict[str, Any]:
        """Music to listen to, on prompts of songs kept for that: `melody`, `real` (M, 8, 16) and `chord` (M, 8)."""
        prompts = self.listening
        melody = system.generate(prompts.melody[:, 0], prompts.chord, seed=_NOISE_SEED)
        return {"melody": melody, "real": prompts.melody, "chord": prompts.chord}

    def _prompts(self, real: Phrases) -> Prompts:
        return Prompts(real, self.reference.base_line(real.roll, real.chord, real.song))


def _bars(corpus: Corpus, rows: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.int8], NDArray[np.int8]]:
    """Bars (N, 16), the bars before them (N, 16) and their chords (N,)."""
    return corpus.melody[rows], corpus.melody[corpus.prev[rows]], corpus.first_chord[rows]
