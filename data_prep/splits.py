"""Which split a song falls into: by its melody, so that no tune is both learnt from and tested on."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from data_prep.corpus import Split
from data_prep.errors import UserError
from data_prep.song import RawSong

CLUSTER_NOTES: Final = 7
"""Songs that share this many opening notes, in any key, count as the same tune.

Few, on purpose: settings of one tune soon differ by a passing note. Of the test bars of Bach, 47 % were met
in training (with the bar before, in any key) when split by file, 31 % by 14 notes, 23 % by these 7.
"""
_STEPS: Final = np.arange(16, dtype=np.uint16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Share of the tunes (0-1) that go to each split; what is left is for training."""

    validation: float = 0.12
    test: float = 0.12
    prompts: float = 0.04

    def __post_init__(self) -> None:
        held = (self.validation, self.test, self.prompts)
        if not all(0 <= share < 1 for share in held) or sum(held) >= 1:
            told = ", ".join(f"{share:g}" for share in held)
            raise UserError(f"Shares of {told}: each lies in 0 to 1, and some tunes must be left to train on.")


def cluster_of(song: RawSong) -> str:
    """Name of the song's tune: its first intervals; the song's own id where it has too few notes.

    Counted from the first note on a downbeat, so that a pick-up tells no two settings apart.
    """
    for section in song.sections:
        starts = (section.onset[:, None] >> _STEPS & 1).astype(np.bool_)
        begins = np.logical_or.accumulate(starts[:, 0])
        opening = section.melody[begins][starts[begins]][:CLUSTER_NOTES].tolist()
        if len(opening) == CLUSTER_NOTES:
            return " ".join(f"{after - before:+d}" for before, after in pairwise(opening))
    return f"song {song.id}"


def splits_of(
    clusters: Iterable[str], seed: int, shares: Shares, long_enough: Collection[str] = ()
) -> dict[str, Split]:
    """The split of each tune: by its name's place in 0 to 1, so adding songs moves no other song.

    In a corpus so small that a split would stay empty, a tune is moved there: a search needs some to learn from,
    some to judge by and prompts to begin with. Only tunes that are `long_enough` count for that, if there are any.
    """
    places = {cluster: _place(cluster, seed) for cluster in sorted(clusters)}
    splits = {cluster: _split_at(place, shares) for cluster, place in places.items()}
    counting = [cluster for cluster in splits if cluster in long_enough] or list(splits)
    wanted = [Split.TRAIN, *(split for split in (Split.VALIDATION, Split.PROMPTS, Split.TEST) if _share(shares, split))]
    for split in wanted:
        sizes = Counter(splits[cluster] for cluster in counting)
        if sizes[split]:
            continue
        # A search does without tunes to test on, so that split gives away its last one, and the others do not.
        donors = [(size, other) for other, size in sizes.items() if size > 1 or other is Split.TEST]
        donors = donors if split in wanted[1:] else [(size, other) for other, size in sizes.items()]
        if donors:
            donor = max(donors)[1]
            splits[min((name for name in counting if splits[name] is donor), key=places.__getitem__)] = split
    return splits


def _place(cluster: str, seed: int) -> float:
    name = hashlib.sha256(f"{seed}\n{cluster}".encode("utf-8", "backslashreplace")).digest()
    return int.from_bytes(name[:8], "big") / 2**64


def _split_at(place: float, shares: Shares) -> Split:
    for split in (Split.PROMPTS, Split.TEST, Split.VALIDATION):
        if place < _share(shares, split):
            return split
        place -= _share(shares, split)
    return Split.TRAIN


def _share(shares: Shares, split: Split) -> float:
    share: float = getattr(shares, split.name.lower())
    return share
