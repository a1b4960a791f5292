"""Raw songs of any source to a corpus: filter, fill rests, link, split; every drop counted by reason."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import NUM_PITCHES, fill_rests
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.options import BARS, Options
from data_prep.song import RawPiece, RawSong, Section, SkippedFile
from data_prep.splits import cluster_of, splits_of

SILENT: Final = "no note in it"
NO_FIRST_CHORD: Final = "no chord in it"
NO_MUSIC: Final = "No music of this kind there; name another folder, or another source (python -m data_prep --help)."
NO_USABLE_BAR: Final = "no usable bar"
FOLD_LOW: Final = 60
FOLD_HIGH: Final = 83
"""The two octaves of MidiNet (Yang et al. 2017): C4 to B5."""

_DETAIL: Final = re.compile(r"['\"\d]")
_OCTAVES: Final = tuple(sorted(range(-120, 121, 12), key=abs))

AnySong = TypeVar("AnySong", RawSong, RawPiece)


class _Rows(NamedTuple):
    """The kept bars of one section."""

    melody: NDArray[np.int8]
    onset: NDArray[np.uint16]
    chord: NDArray[np.int8]
    first_chord: NDArray[np.int8]
    bar: NDArray[np.int32]


def assemble(
    read: Sequence[RawSong | SkippedFile],
    options: Options,
    *,
    source: str,
    hears: tuple[str, ...] = BARS,
    versions: dict[str, str],
) -> Corpus:
    """The corpus of these songs, in the order given. UserError where no bar is usable."""
    songs, skipped = sort_out(read)
    dropped = Counter[str]()
    kept: list[tuple[RawSong, list[_Rows]]] = []
    for song in songs:
        if song.doubt and options.doubtful == "leave-out":
            skipped.append(SkippedFile(path=song.id, reason=song.doubt))
            continue
        sections = [_usable(section, options, dropped) for section in song.sections]
        if not any(len(rows.bar) for rows in sections):
            skipped.append(SkippedFile(path=song.id, reason=_why_nothing(song)))
            continue
        kept.append((song, _folded(sections) if options.octave == "fold" else sections))
    if not kept:
        raise UserError(nothing_usable(skipped))
    parts = [section for song, _ in kept for section in song.sections]
    about = {
        "source": source,
        "versions": versions,
        "options": options.chosen(hears),
        "songs": _song_table(kept, options),
        "skipped": skipped_table(skipped),
        "doubts": {song.id: song.doubt for song, _ in kept if song.doubt},
        "inputs": {path: digest for part in parts for path, digest in part.inputs.items()},
    }
    corpus = _corpus(kept, about)
    remarks = sum((Counter(part.remarks) for part in parts), Counter[str]())
    about["counts"] = _counts(corpus, dropped, remarks)
    return corpus


def sort_out(read: Sequence[AnySong | SkippedFile]) -> tuple[list[AnySong], list[SkippedFile]]:
    """Songs, and files that gave none. A second song of the same id is a file that gave none."""
    songs: dict[str, AnySong] = {}
    skipped: list[SkippedFile] = []
    for item in read:
        if isinstance(item, SkippedFile):
            skipped.append(replace(item, reason=item.reason.rstrip(".")))
        elif item.id in songs:
            skipped.append(SkippedFile(path=item.id, reason="another song has the same name"))
        else:
            songs[item.id] = item
    return list(songs.values()), skipped


def skipped_table(skipped: list[SkippedFile]) -> list[dict[str, str]]:
    """The skipped files as `corpus.json` lists them."""
    return [asdict(item) for item in sorted(skipped, key=lambda item: (item.path, item.reason))]


def nothing_usable(skipped: list[SkippedFile], remedy: str = "Give others, in 4/4 with a melody and chords.") -> str:
    """One line that says why there is no corpus, by the commonest reasons."""
    if not skipped:
        return NO_MUSIC
    told = "; ".join(f"{examples[0].reason} ({len(examples):,})" for examples in by_reason(skipped)[:3])
    return f"Nothing usable in {len(skipped):,} files: {told[:400]}. {remedy}"


def by_reason(skipped: Iterable[SkippedFile]) -> list[list[SkippedFile]]:
    """Files skipped for one reason together, the commonest first: reasons differ in what follows a name or number."""
    groups: dict[str, list[SkippedFile]] = defaultdict(list)
    for item in skipped:
        groups[_DETAIL.split(item.reason, maxsplit=1)[0] or item.reason].append(item)
    return sorted(groups.values(), key=len, reverse=True)


def _why_nothing(song: RawSong) -> str:
    """Of a song without a usable bar, why its bars are not."""
    reasons = sum((Counter(section.unreadable) for section in song.sections), Counter[str]())
    for section in song.sections:
        silent = (section.melody < 0).all(axis=1)
        reasons += Counter({SILENT: int(silent.sum()), NO_FIRST_CHORD: int((~silent).sum())})
    return f"{NO_USABLE_BAR}: {reasons.most_common(1)[0][0]}" if reasons else NO_USABLE_BAR


def _usable(section: Section, options: Options, dropped: Counter[str]) -> _Rows:
    silent = (section.melody < 0).all(axis=1)
    chordless = ~silent & (section.first_chord == NO_CHORD) & (options.chords == "required")
    dropped.update(section.unreadable)
    dropped.update({SILENT: int(silent.sum()), NO_FIRST_CHORD: int(chordless.sum())})
    melody, onset = section.melody, section.onset
    if options.rests == "fill":
        melody, onset = _fill(section)
    keep = ~(silent | chordless)
    columns = (melody, onset, section.chord, section.first_chord, section.bar)
    return _Rows(*(column[keep] for column in columns))


def _folded(sections: list[_Rows]) -> list[_Rows]:
    """The song moved by the octaves that bring most of it into C4-B5, the fewest of them if several do."""
    melody = np.concatenate([rows.melody for rows in sections]).astype(np.int16)
    sounding = melody[melody >= 0]
    shifts = [shift for shift in _OCTAVES if sounding.min() + shift >= 0 and sounding.max() + shift < NUM_PITCHES]
    inside = [((sounding >= FOLD_LOW - shift) & (sounding <= FOLD_HIGH - shift)).sum() for shift in shifts]
    best = shifts[int(np.argmax(inside))]
    return [
        rows._replace(melody=np.where(rows.melody < 0, -1, rows.melody + best).astype(np.int8)) for rows in sections
    ]


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
    clusters = [cluster_of(song) for song, _ in kept]
    long_enough = {name for (_, sections), name in zip(kept, clusters, strict=True) if _phrases(sections) > 1}
    splits = splits_of(clusters, options.seed, options.shares, long_enough)
    table: list[dict[str, Any]] = []
    first_row = 0
    for (song, sections), cluster in zip(kept, clusters, strict=True):
        places = []
        for section, rows in zip(song.sections, sections, strict=True):
            places.append({"path": section.path, "first_row": first_row, "num_bars": len(rows.bar)})
            first_row += len(rows.bar)
        table.append({"id": song.id, "split": int(splits[cluster]), "cluster": cluster, "sections": places})
    return table


def _phrases(sections: list[_Rows], length: int = 8) -> int:
    """How many runs of `length` directly consecutive bars the song has, overlapping."""
    return sum(int((rows.bar[length - 1 :] - rows.bar[: 1 - length] == length - 1).sum()) for rows in sections)


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


def _counts(corpus: Corpus, dropped: Counter[str], remarks: Counter[str]) -> dict[str, Any]:
    splits = {
        split.name.lower(): {
            "songs": int((corpus.split == split).sum()),
            "bars": len(corpus.rows(split)),
            "phrases": len(corpus.phrases(split)),
        }
        for split in Split
    }
    reasons = {reason: count for reason, count in sorted(dropped.items()) if count}
    counts = {"songs": corpus.num_songs, "bars": corpus.num_bars, "dropped_bars": reasons, "splits": splits}
    return {**counts, "remarks": dict(sorted(remarks.items()))}
