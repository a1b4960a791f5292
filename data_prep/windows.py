"""Piano music without bars: the notes of every piece, and the windows of 128 steps that are learnt from."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from data_prep import store
from data_prep.bars import NUM_PITCHES
from data_prep.check import check_sampling_frequency, check_songs, check_window_arrays
from data_prep.corpus import Split
from data_prep.store import ABOUT_FILE, ARRAYS_FILE

KIND: Final = "windows"
STEPS: Final = 128
"""Steps in a window."""

DTYPES: Final = {
    "start": "int32",
    "end": "int32",
    "pitch": "uint8",
    "velocity": "uint8",
    "song": "int32",
    "window": "int32",
    "first_note": "int32",
    "end_note": "int32",
    "split": "int8",
}
"""The arrays of a corpus of windows, by name, and what each is made of."""

_AT_ONCE: Final = 2**14
"""Notes drawn at once. However many there are, what is needed beside the rolls stays below 60 MB."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WindowCorpus:
    """K notes and W windows of M pieces, both in order of piece; a note is stored once, in 10 bytes.

    Attributes:
        start: int32 (K,), first step of the note, from the start of its piece; within a piece in order of start, pitch.
        end: int32 (K,), step after its last.
        pitch: uint8 (K,), MIDI pitch.
        velocity: uint8 (K,), 1-127.
        song: int32 (W,), row in the song table.
        window: int32 (W,), index in the piece: it covers steps 128 w to 128 w + 128; dropped ones leave gaps.
        first_note: int32 (W,), the first note of the piece that sounds in the window.
        end_note: int32 (W,), the note after the last that starts in it. Between them lie all that sound in it, and
            such as have ended before it.
        split: int8 (M,), a `Split` for every piece.
        about: `corpus.json`, as of a `Corpus`; `num_bars` of a section is the number of its windows.
    """

    start: NDArray[np.int32]
    end: NDArray[np.int32]
    pitch: NDArray[np.uint8]
    velocity: NDArray[np.uint8]
    song: NDArray[np.int32]
    window: NDArray[np.int32]
    first_note: NDArray[np.int32]
    end_note: NDArray[np.int32]
    split: NDArray[np.int8]
    about: dict[str, Any]

    @property
    def num_windows(self) -> int:
        """W."""
        return len(self.song)

    @property
    def num_songs(self) -> int:
        """M."""
        return len(self.split)

    @property
    def told(self) -> str:
        """Its size in words."""
        return f"{self.num_windows:,} windows of {self.num_songs} pieces"

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of all arrays: two corpora with one digest hold the same music in the same splits."""
        return store.digest(self.arrays())

    @property
    def sampling_frequency(self) -> float:
        """Steps a second; a `bare` corpus does not know it."""
        return float(self.about["options"]["sampling_frequency"])

    def bare(self) -> "WindowCorpus":
        """The same windows without `about`: to a trial the table of songs is nothing but tens of megabytes."""
        return replace(self, about={})

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The nine arrays by name."""
        return {name: getattr(self, name) for name in DTYPES}

    def rows(self, split: Split) -> NDArray[np.int64]:
        """Rows of the windows of one split, ascending."""
        return np.flatnonzero(self.split[self.song] == split)

    def rasterise(self, rows: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The windows of these rows (B,) as piano rolls, uint8 (B, 128 steps, 128 pitches).

        A cell holds the velocity of the note that sounds there, the louder where there are two, and 0 for silence.
        """
        rolls = np.zeros((len(rows), STEPS, NUM_PITCHES), np.uint8)
        first = self.first_note[rows].astype(np.int64)
        counts = self.end_note[rows] - first
        stops = np.cumsum(counts)
        ahead = first - (stops - counts)
        for begin in range(0, int(counts.sum()), _AT_ONCE):
            entry = np.arange(begin, min(begin + _AT_ONCE, stops[-1]))
            place = np.searchsorted(stops, entry, side="right")
            self._draw(rolls.reshape(-1), place, self.window[rows][place], entry + ahead[place])
        return rolls

    def _draw(
        self,
        cells: NDArray[np.uint8],
        place: NDArray[np.int64],
        window: NDArray[np.int32],
        note: NDArray[np.int64],
    ) -> None:
        """Draw notes (P,) into the rolls at these places, which show these windows; `cells` is all rolls in a row."""
        origin = window * STEPS
        begin = np.maximum(self.start[note] - origin, 0)
        lengths = np.maximum(np.minimum(self.end[note] - origin, STEPS) - begin, 0)
        stops = np.cumsum(lengths, dtype=np.int64)
        corner = (place * STEPS + begin) * NUM_PITCHES + self.pitch[note]
        ahead = corner - (stops - lengths) * NUM_PITCHES
        struck = np.arange(stops[-1]) * NUM_PITCHES + np.repeat(ahead, lengths)
        np.maximum.at(cells, struck, np.repeat(self.velocity[note], lengths))


def save(corpus: WindowCorpus, folder: Path) -> None:
    """Write `corpus.npz` and `corpus.json` into `folder`, byte for byte the same for the same corpus."""
    store.write(folder, corpus.arrays(), {**corpus.about, "kind": KIND})


def load(folder: Path) -> WindowCorpus:
    """The corpus in `folder`. UserError, naming what is wrong, for anything but a sound corpus of windows."""
    arrays, about = store.read(folder, KIND, DTYPES)
    check_window_arrays(arrays, STEPS, str(folder / ARRAYS_FILE))
    check_songs(about, arrays["split"], arrays["song"], str(folder / ABOUT_FILE))
    check_sampling_frequency(about, str(folder / ABOUT_FILE))
    return WindowCorpus(about=about, **arrays)
