"""Raw pieces of piano music to a corpus of windows: cut, drop what is silent, split; every drop counted by reason."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.assemble import SILENT, nothing_usable, skipped_table, sort_out
from data_prep.corpus import Split
from data_prep.errors import UserError
from data_prep.options import Options
from data_prep.song import RawPiece, SkippedFile
from data_prep.splits import splits_of
from data_prep.windows import STEPS, WindowCorpus

REMAINDER: Final = "remainder shorter than a window"
NO_USABLE_WINDOW: Final = "no usable window"
CLUSTER_NOTES: Final = 16
"""Pieces that share this many opening notes, in any key, count as copies of one piece."""
MAX_NOTES: Final = 200_000_000
"""Most notes in a corpus: what is stored of them is just as much as is read again."""


class _Windows(NamedTuple):
    """The kept windows of one piece, int32 (n,) each: index, first note and the note after the last."""

    window: NDArray[np.int32]
    first_note: NDArray[np.int32]
    end_note: NDArray[np.int32]


def assemble_windows(
    read: Sequence[RawPiece | SkippedFile],
    options: Options,
    *,
    source: str,
    hears: tuple[str, ...],
    versions: dict[str, str],
) -> WindowCorpus:
    """The corpus of these pieces, in the order given. UserError where no window is usable."""
    pieces, skipped = sort_out(read)
    dropped = Counter[str]()
    kept: list[tuple[RawPiece, _Windows]] = []
    for piece in pieces:
        windows, left_out = _windows(piece.notes)
        dropped.update(left_out)
        if len(windows.window):
            kept.append((piece, windows))
        else:
            reason = REMAINDER if list(left_out) == [REMAINDER] else SILENT
            skipped.append(SkippedFile(path=piece.id, reason=f"{NO_USABLE_WINDOW}: {reason}"))
    if not kept:
        seconds = STEPS / options.sampling_frequency
        raise UserError(nothing_usable(skipped, f"Give MIDI files of {seconds:g} s and more."))
    if sum(len(piece.notes) for piece, _ in kept) > MAX_NOTES:
        raise UserError(f"Over {MAX_NOTES:,} notes in {len(kept):,} files; name a smaller folder.")
    about = {
        "source": source,
        "versions": versions,
        "options": options.chosen(hears),
        "songs": _song_table(kept, options),
        "skipped": skipped_table(skipped),
        "inputs": {path: digest for piece, _ in kept for path, digest in piece.inputs.items()},
    }
    corpus = _corpus(kept, about)
    remarks = sum((Counter(piece.remarks) for piece, _ in kept), Counter[str]())
    about["counts"] = _counts(corpus, dropped, remarks)
    return corpus


def cluster_of(piece: RawPiece) -> str:
    """Name of what copies of a piece share: its first intervals; the piece's own id where it has too few notes."""
    opening = piece.notes[:CLUSTER_NOTES, 2]
    if len(opening) < CLUSTER_NOTES:
        return f"song {piece.id}"
    return " ".join(f"{interval:+d}" for interval in np.diff(opening).tolist())


def _windows(notes: NDArray[np.int32]) -> tuple[_Windows, dict[str, int]]:
    """The full windows in which something sounds, and what was left out, by reason."""
    start, end = notes[:, 0], notes[:, 1]
    number, rest = divmod(int(end.max(initial=0)), STEPS)
    origin = np.arange(number, dtype=np.int32) * STEPS
    first = np.searchsorted(np.maximum.accumulate(end), origin, side="right")
    stop = np.searchsorted(start, origin + STEPS)
    heard = np.flatnonzero(first < stop)
    left_out = {SILENT: number - len(heard), REMAINDER: int(rest > 0)}
    columns = (column.astype(np.int32) for column in (heard, first[heard], stop[heard]))
    return _Windows(*columns), {reason: count for reason, count in left_out.items() if count}


def _song_table(kept: list[tuple[RawPiece, _Windows]], options: Options) -> list[dict[str, Any]]:
    clusters = [cluster_of(piece) for piece, _ in kept]
    free = (cluster for cluster, (piece, _) in zip(clusters, kept, strict=True) if piece.split is None)
    splits = splits_of(free, options.seed, options.shares)
    table: list[dict[str, Any]] = []
    first_row = 0
    for (piece, windows), cluster in zip(kept, clusters, strict=True):
        split = splits[cluster] if piece.split is None else piece.split
        place = {"path": piece.path, "first_row": first_row, "num_bars": len(windows.window)}
        first_row += len(windows.window)
        table.append({"id": piece.id, "split": int(split), "cluster": cluster, "sections": [place]})
    return table


def _corpus(kept: list[tuple[RawPiece, _Windows]], about: dict[str, Any]) -> WindowCorpus:
    start, end, pitch, velocity = np.concatenate([piece.notes for piece, _ in kept]).T
    window, first_note, end_note = (np.concatenate(column) for column in zip(*(rows for _, rows in kept), strict=True))
    num_windows = [len(rows.window) for _, rows in kept]
    num_notes = np.array([len(piece.notes) for piece, _ in kept])
    ahead = np.repeat(np.cumsum(num_notes) - num_notes, num_windows).astype(np.int32)
    return WindowCorpus(
        start=np.ascontiguousarray(start),
        end=np.ascontiguousarray(end),
        pitch=pitch.astype(np.uint8),
        velocity=velocity.astype(np.uint8),
        song=np.repeat(np.arange(len(kept), dtype=np.int32), num_windows),
        window=window,
        first_note=first_note + ahead,
        end_note=end_note + ahead,
        split=np.array([song["split"] for song in about["songs"]], np.int8),
        about=about,
    )


def _counts(corpus: WindowCorpus, dropped: Counter[str], remarks: Counter[str]) -> dict[str, Any]:
    splits = {
        split.name.lower(): {"songs": int((corpus.split == split).sum()), "windows": len(corpus.rows(split))}
        for split in Split
    }
    reasons = dict(sorted(dropped.items()))
    counts = {"songs": corpus.num_songs, "windows": corpus.num_windows, "dropped_windows": reasons, "splits": splits}
    return {**counts, "remarks": dict(sorted(remarks.items()))}
