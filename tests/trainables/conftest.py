"""A small corpus whose every number follows from a formula, so that golden losses depend on no random stream."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

from data_prep.chords import NUM_CHORDS
from data_prep.corpus import Corpus, Split
from trainables.batches import Batch, Dealer
from trainables.step import Players

SONGS = 16
BARS_PER_SONG = 13
SPLITS = (Split.TRAIN, Split.TRAIN, Split.VALIDATION, Split.TEST, Split.TRAIN, Split.PROMPTS)
GAP = 8  # in every fifth song this bar was dropped: the one after it follows nothing


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    # Sums split over threads round differently; every bitwise comparison here is meant for one thread.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    song, bar, prev, melody, chord = [], [], [], [], []
    for s in range(SONGS):
        bars = [b for b in range(BARS_PER_SONG) if s % 5 or b != GAP]
        for b in bars:
            prev.append(len(song) - 1 if b and (b - 1) in bars else -1)
            song.append(s)
            bar.append(b)
            chord.append([(7 * s + 5 * b + 11 * (b % 3) + beat // 2) % NUM_CHORDS for beat in range(4)])
            note = 2 if (s + b) % 2 else 4
            steps = [60 + (5 * s + 3 * b * b + 7 * (t // note) * (s % 3 + 1) + b * (t // note)) % 24 for t in range(16)]
            melody.append(steps)
    lines = np.array(melody, np.int8)
    starts = np.diff(lines, axis=1, prepend=-1) != 0
    chords = np.array(chord, np.int8)
    return Corpus(
        melody=lines,
        onset=(starts << np.arange(16)).sum(1).astype(np.uint16),
        chord=chords,
        first_chord=chords[:, 0].copy(),
        prev=np.array(prev, np.int32),
        song=np.array(song, np.int32),
        bar=np.array(bar, np.int32),
        split=np.resize(SPLITS, SONGS).astype(np.int8),
        about={"options": {"rests": "fill"}},
    )


@pytest.fixture
def in_double(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes players, dealers of bars and noise double: rounding, which training amplifies, then stays out of sight."""

    def convert(players: Players, *dealers: Dealer) -> None:
        for player in (players.generator, players.discriminator, players.average):
            player.double()
        for dealer in dealers:

            def draw(size: int, single: Callable[[int], Batch] = dealer.draw) -> Batch:
                batch = single(size)
                floating = (part.double() if part.is_floating_point() else part for part in batch.condition)
                return Batch(bar=batch.bar.double(), condition=tuple(floating))

            monkeypatch.setattr(dealer, "draw", draw)
        randn = torch.randn

        def noise(*shape: int, **options: Any) -> torch.Tensor:
            return randn(*shape, **options).double()

        monkeypatch.setattr(torch, "randn", noise)

    return convert
