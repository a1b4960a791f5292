"""Raw songs of any source to a corpus: filter, fill rests, link, split; every drop counted by reason."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import fill_rests
from data_prep.chords import NO_CHORD
from data_prep.corpus import FORMAT, Corpus, Split
from data_prep.errors import UserError
from data_prep.song import RawSong, Section, SkippedFile
from data_prep.splits import Shares, cluster_of, split_of

SILENT: Final = "no note in it"
NO_FIRST_CHORD: Final = "no chord in it"
NO_USABLE_BAR: Final = "no usable bar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Choices that shape a corpus: `rests` is `fill` (as MidiNet: no silence) or `keep`."""

    seed: int = 0
    rests: Literal["fill", "keep"] = "fill"
    shares: Shares = field(default_factory=Shares)

    def __post_init__(self) -> None:
        if self.rests not in ("fill", "keep"):
            raise UserError(f"rests is {self.rests!r}; choose 'fill' or 'keep'.")


class _Rows(NamedTuple):
    """The kept bars of one section."""

    melody: NDArray[np.int8]
    onset: NDArray[np.uint16]
    chord: NDArray[np.int8]
    first_chord: NDArray[np.int8]
    bar: NDArray[np.int32]


def assemble(
    read: Sequence[RawSong | SkippedFile], options: Options, *, source: str, versions: dict[str, str]
) -> Corpus:
    """The corpus of these songs, in the order given. UserError where no bar is usable."""
    dropped = Counter[str]()
    skipped = [item for item in read if isinstance(item, SkippedFile)]
    kept: list[tuple[RawSong, list[_Rows]]] = []
    for song in (item for item in read if isinstance(item, RawSong)):
        sections = [_usable(section, options.rests, dropped) for section in song.sections]
        if any(len(rows.bar) for rows in sections):
            kept.append((song, sections))
        else:
            skipped.append(SkippedFile(path=song.id, reason=NO_USABLE_BAR))
    if not kept:
        raise UserError(f"Not one usable bar in {len(read)} files; give others, in 4/4 with a melody and chords.")
    about = {
        "format": FORMAT,
        "source": source,
        "versions": {**versions, "format": str(FORMAT)},
        "options": asdict(options),
        "songs": _song_table(kept, options),
        "skipped": [asdict(item) for item in sorted(skipped, key=lambda item: item.path)],
        "inputs": {part.path: part.sha256 for song, _ in kept for part in song.sections},
    }
    corpus = _corpus(kept, about)
    about["counts"] = _counts(corpus, dropped)
    return corpus


def _usable(section: Section, rests: str, dropped: Counter[str]) -> _Rows:
    silent = (section.melody < 0).all(axis=1)
    chordless = ~silent & (section.first_chord == NO_CHORD)
    dropped.update(section.unreadable)
    dropped.update({SILENT: int(silent.sum()), NO_FIRST_CHORD: int(chordless.sum())})
    melody, onset = section.melody, section.onset
    if rests == "fill":
        melody, onset = _fill(section)
    keep = ~(silent | chordless)
    columns = (melody, onset, section.chord, section.first_chord, section.bar)
    return _Rows(*(column[keep] for column in columns))


def _fill(section: Section) -> tuple[NDArray[np.int8], NDArray[np.uint16]]:
    """Rests filled along each run of consecutive bars: over a gap there is no note to prolong.

    A run begins where it first sounds: the silent bars before are dropped, and no note may begin in them.
    """
    melody, onset = section.melody.copy(), section.onset.copy()
    gaps = np.flatnonzero(np.diff(section.bar) != 1) + 1
    for run in np.split(np.arange(len(section.bar)), gaps):
        heard = run[np.logical_or.accumulate((section.melody[run] >= 0).any(axis=1))]
        melody[heard], onset[heard] = fill_rests(melody[heard], onset[heard])
    return melody, onset


def _song_table(kept: list[tuple[RawSong, list[_Rows]]], options: Options) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = []
    first_row = 0
    for song, sections in kept:
        places = []
        for section, rows in zip(song.sections, sections, strict=True):
            places.append({"path": section.path, "first_row": first_row, "num_bars": len(rows.bar)})
            first_row += len(rows.bar)
        cluster = cluster_of(song)
        split = int(split_of(cluster, options.seed, options.shares))
        table.append({"id": song.id, "split": split, "cluster": cluster, "sections": places})
    return table


def _corpus(kept: list[tuple[RawSong, list[_Rows]]], about: dict[str, Any]) -> Corpus:
    rows = [part for _, sections in kept for part in sections]
    melody, onset, chord, first_chord, bar = (np.concatenate(column) for column in zip(*rows, strict=True))
    section = np.repeat(np.arange(len(rows)), [len(part.bar) for part in rows])
    lengths = [sum(len(part.bar) for part in sections) for _, sections in kept]
    follows = (np.diff(section, prepend=-1) == 0) & (np.diff(bar, prepend=-1) == 1)
    return Corpus(
        melody=melody,
        onset=onset,
        chord=chord,
        first_chord=first_chord,
        prev=np.where(follows, np.arange(len(bar)) - 1, -1).astype(np.int32),
        song=np.repeat(np.arange(len(kept), dtype=np.int32), lengths),
        bar=bar,
        split=np.array([song["split"] for song in about["songs"]], np.int8),
        about=about,
    )


def _counts(corpus: Corpus, dropped: Counter[str]) -> dict[str, Any]:
    splits = {
        split.name.lower(): {
            "songs": int((corpus.split == split).sum()),
            "bars": len(corpus.rows(split)),
            "phrases": len(corpus.phrases(split)),
        }
        for split in Split
    }
    reasons = {reason: count for reason, count in sorted(dropped.items()) if count}
    return {"songs": corpus.num_songs, "bars": corpus.num_bars, "dropped_bars": reasons, "splits": splits}
