"""A phrase to listen to: generated music beside what really followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reporting import audio, pianoroll
from reporting.midi import write_midi


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """Pitches (B, 16), generated and real, over the same chord classes (B,)."""

    melody: NDArray[np.int8]
    real: NDArray[np.int8]
    chord: NDArray[np.int8]

    def picture(self) -> NDArray[np.uint8]:
        """Piano roll (H, W, 3) of the generated phrase above the real one."""
        return pianoroll.draw(self.melody, self.chord, reference=self.real)

    def sound(self) -> tuple[NDArray[np.float32], int]:
        """Mono sound (L,) in -1..1, and its samples per second."""
        return audio.synthesize(self.melody, self.chord), audio.RATE

    def write(self, path: Path) -> None:
        """Write `path` with the endings .mid, .png and .wav."""
        write_midi(path.with_suffix(".mid"), self.melody, self.chord)
        pianoroll.write_png(path.with_suffix(".png"), self.picture())
        audio.write_wav(path.with_suffix(".wav"), *self.sound())


def phrases(media: Mapping[str, Any]) -> list[Phrase]:
    """Phrases of arrays `melody` and `real` (M, B, 16) and `chord` (M, B), as trials send them."""
    triples = zip(media["melody"], media["real"], media["chord"], strict=True)
    return [Phrase(melody=melody, real=real, chord=chord) for melody, real, chord in triples]
