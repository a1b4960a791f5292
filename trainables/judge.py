"""What a system is judged by: rollouts from real prompts against the real phrases of songs it never trained on."""

from dataclasses import dataclass, replace
from typing import Any, Final, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from scores.material import material
from scores.objective import BaseLine, Reference
from scores.phrases import Music, Phrases, as_roll

NOISE_SEED: Final = 20_200_619
"""Seed of the noise that all rollouts are made of."""

_REFERENCE_PHRASES: Final = 1024
_FEW_SONGS: Final = 8
_FEW_PHRASES: Final = 64
_SAMPLES: Final = 3


@runtime_checkable
class Generative(Protocol):
    """What every system can do once it is trained a little."""

    def generate(self, first_bar: Music, chord: NDArray[np.int8], *, seed: int) -> Music:
        """Phrases (M, B, 16) that begin with `first_bar` (M, 16) over the chords by beat (M, B, 4).

        Pitches int8, -1 rest; where the corpus is one of windows, velocities uint8 with one more axis of 128 pitches.
        """
        ...


@dataclass(frozen=True, slots=True)
class Prompts:
    """Real phrases whose first bars and chords systems go on from, and what their real continuations score."""

    phrases: Phrases
    base: BaseLine


class Judge:
    """Judges systems on the same prompts with the same noise, so that only the systems differ.

    Of either kind of corpus: bars with chords, or windows of piano music, which are phrases of eight times sixteen
    steps without chords. It holds arrays alone, and travels to other processes.

    Attributes:
        reference: the real phrases that all others are compared with.
        prompts: what rollouts go on from; `early` are some of them.
        usual: what their real continuations score.
        listening: what samples go on from: songs kept for that, or those of validation where none are (MAESTRO).
        remark: why little can be said of systems that are judged by so few songs; empty where they are enough.
    """

    def __init__(
        self,
        corpus: Corpus | WindowCorpus,
        *,
        rollouts: int,
        early_rollouts: int = 64,
        split: Split = Split.VALIDATION,
    ) -> None:
        music = material(corpus)
        training = music.training()
        real = music.phrases(split, _REFERENCE_PHRASES)
        self.reference = Reference.fit(
            real.roll, real.chord, song=real.song, training=training.windows, register=training.register
        )
        self.prompts = self._prompts(music.phrases(split, rollouts))
        self.early = self._prompts(self.prompts.phrases.spread(early_rollouts))
        self.usual = self.real(self.prompts.phrases)
        self.remark = _remark(real.song)
        self.listening = music.phrases(music.listening, _SAMPLES, least=1)
        self._steps_per_second = music.steps_per_second

    def evaluate(self, system: Generative, *, early: bool = False) -> dict[str, float]:
        """Objectives, family distances and mean scores of the system's rollouts; all finite.

        `early` asks for fewer rollouts, from some of the prompts: enough to tell the worse half.
        """
        prompts = self.early if early else self.prompts
        real = prompts.phrases
        return self.score(system.generate(real.first_bar, real.beats, seed=NOISE_SEED), prompts)

    def score(self, music: Music, prompts: Prompts | None = None) -> dict[str, float]:
        """The same of any phrases (M, 8, 16) or (M, 8, 16, 128) over the chords of the prompts."""
        prompts = prompts or self.prompts
        return self.reference.evaluate(as_roll(music), prompts.phrases.chord, prompts.base)

    def real(self, real: Phrases) -> dict[str, float]:
        """The same of real phrases, over their own chords.

        As other songs repeat themselves otherwise, copies are measured by their own base line, and are none.
        """
        usual = self.prompts.base
        own = replace(self._prompts(real).base, recall=usual.recall, coverage=usual.coverage)
        return self.score(real.music, Prompts(real, own))

    def samples(self, system: Generative, *, by_beat: bool = False) -> dict[str, Any]:
        """Music to listen to, from the prompts kept for that, as `reporting.phrase.phrases` takes it.

        `melody` and `real` (M, 8, 16) and `chord` (M, 8), or (M, 8, 4) with `by_beat`, for a system that hears four
        chords a bar; of piano music `roll` and `real` (M, 8, 16, 128) and `steps_per_second`.
        """
        prompts = self.listening
        music = system.generate(prompts.first_bar, prompts.beats, seed=NOISE_SEED)
        if self._steps_per_second is not None:
            return {"roll": music, "real": prompts.music, "steps_per_second": self._steps_per_second}
        return {"melody": music, "real": prompts.music, "chord": prompts.beats if by_beat else prompts.chord}

    def _prompts(self, real: Phrases) -> Prompts:
        return Prompts(real, self.reference.base_line(real.roll, real.chord, real.song))


def _remark(songs: NDArray[Any] | None) -> str:
    """What to know where phrases of these songs are too few to be judged by."""
    if songs is None:
        return ""
    count = len(np.unique(songs))
    if count >= _FEW_SONGS and len(songs) >= _FEW_PHRASES:
        return ""
    return (
        f"what is trained is judged by {len(songs)} phrases of {count} {'song' if count == 1 else 'songs'}, too few "
        f"for small differences to mean much; better are {_FEW_SONGS} songs and {_FEW_PHRASES} phrases for validation."
    )
