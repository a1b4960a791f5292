"""A phrase to listen to: generated music, beside what really followed."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_prep.files import write_atomic
from reporting import audio, pianoroll
from reporting.midi import Music, tempo_of, write_midi


@dataclass(frozen=True, kw_only=True)
class Phrase:
    """Generated and real music of B bars, a melody over chords or piano music.

    Attributes:
        music: int8 (B, 16) MIDI pitches, -1 rest, or uint8 (B, 16, 128) velocities, 0 silence.
        real: what really followed, of the same kind; None where nothing did.
        chord: chord classes of both, by bar (B,) or by beat (B, 4); None of piano music.
        tempo: beats a minute, of four steps each.
    """

    music: Music
    real: Music | None = None
    chord: NDArray[np.int8] | None = None
    tempo: float = 120.0

    def picture(self) -> NDArray[np.uint8]:
        """Piano roll (H, W, 3) of the generated phrase, above the real one where there is one."""
        return pianoroll.draw(self.music, self.chord, reference=self.real)

    def sound(self) -> tuple[NDArray[np.float32], int]:
        """Mono sound (L,) in -1..1, and its samples per second."""
        return audio.synthesize(self.music, self.chord, tempo=self.tempo), audio.RATE

    @cached_property
    def png(self) -> bytes:
        """`picture` as a file: to draw and to pack it takes longer than all else that is done with a phrase."""
        return pianoroll.as_png(self.picture())

    @cached_property
    def wav(self) -> bytes:
        """`sound` as a file."""
        return audio.as_wav(*self.sound())

    def write(self, path: Path) -> None:
        """Write `path` with the endings .mid, .png and .wav."""
        write_midi(path.with_suffix(".mid"), self.music, self.chord, tempo=self.tempo)
        write_atomic(path.with_suffix(".png"), self.png)
        write_atomic(path.with_suffix(".wav"), self.wav)


def phrases(media: Mapping[str, Any]) -> list[Phrase]:
    """Phrases as trials send them (`trainables.judge.Judge.samples`).

    Args:
        media: `melody` and `real` (M, B, 16) and `chord` (M, B) or (M, B, 4); or, of piano music, `roll` and `real`
            (M, B, 16, 128) and `steps_per_second`.
    """
    if "roll" in media:
        tempo = tempo_of(media["steps_per_second"])
        rows = zip(media["roll"], media["real"], repeat(None, len(media["roll"])), strict=True)
    else:
        tempo = 120.0
        rows = zip(media["melody"], media["real"], media["chord"], strict=True)
    return [Phrase(music=music, real=real, chord=chord, tempo=tempo) for music, real, chord in rows]
