"""A small corpus of piano windows, made as the sources make theirs."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from data_prep.assemble_windows import assemble_windows
from data_prep.corpus import Split
from data_prep.options import Options
from data_prep.song import RawPiece
from data_prep.windows import WindowCorpus

SPLITS = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST, Split.TRAIN, Split.VALIDATION, Split.TEST)


def piano_corpus(splits: Sequence[Split] = SPLITS, *, windows: int = 6, frequency: float = 16.0) -> WindowCorpus:
    """A piece for every split, each of so many windows: a wandering voice over a slower one."""
    return assemble_windows(
        [_piece(number, split, windows) for number, split in enumerate(splits)],
        Options(sampling_frequency=frequency),
        source="piano",
        hears=("sampling_frequency",),
        versions={},
    )


def _piece(number: int, split: Split, windows: int) -> RawPiece:
    rng = np.random.default_rng(number)
    last = 128 * windows
    voices = [_voice(rng, last, lowest=60, longest=8), _voice(rng, last, lowest=36, longest=24)]
    notes = np.concatenate(voices)
    notes = notes[np.lexsort((notes[:, 2], notes[:, 0]))]
    return RawPiece(id=f"{number}.mid", path=f"{number}.mid", inputs={}, notes=notes, split=split, remarks={})


def _voice(rng: np.random.Generator, last: int, *, lowest: int, longest: int) -> NDArray[np.int32]:
    """Notes (K, 4) of one voice, each a step or two from the one before, up to the very last step."""
    start = np.unique(np.concatenate([[0], np.cumsum(rng.integers(2, longest, size=last))]))
    start = start[start < last - 1]
    end = np.append(start[1:], last)
    pitch = lowest + np.abs(np.cumsum(rng.integers(-2, 3, size=len(start)))) % 24
    velocity = rng.integers(40, 100, size=len(start))
    return np.stack([start, end, pitch, velocity], axis=1).astype(np.int32)
