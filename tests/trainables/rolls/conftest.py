"""A small corpus of windows whose every number follows from a formula, and networks small enough to train in a test."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from data_prep.corpus import Corpus, Split
from data_prep.windows import DTYPES, STEPS, WindowCorpus
from trainables.batches import Batch
from trainables.config import TrainConfig
from trainables.rolls.gan import Gan
from trainables.rolls.lstm import Lstm
from trainables.rolls.options import GanNetwork, LstmConfig, LstmNetwork, VaeConfig, VaeNetwork
from trainables.rolls.vae import Vae

PIECE_SPLITS = (Split.TRAIN, Split.VALIDATION, Split.TRAIN, Split.TEST, Split.PROMPTS, Split.TRAIN)
WINDOWS_PER_PIECE = 3
NETWORKS = {
    "lstm": LstmNetwork(embedding=12, hidden=16, layers=2),
    "vae": VaeNetwork(latent=5, width=6),
    "gan": GanNetwork(noise=8, hidden=16, width=128, discriminator_width=1),
}
CONFIGS = {
    "lstm": LstmConfig(batch_size=3),
    "vae": VaeConfig(batch_size=3, learning_rate=1e-2, kl_warm_up=0.5),
    "gan": TrainConfig(batch_size=3, g_updates=1, feature_weight=0.0, mean_weight=0.0),
}
CLASSES = {"lstm": Lstm, "vae": Vae, "gan": Gan}


def window_corpus_of(pieces: list[list[tuple[int, int, int, int]]], splits: list[int]) -> WindowCorpus:
    """Notes (start, end, pitch, velocity) of pieces of three windows each, in order of start and pitch."""
    notes = [note for piece in pieces for note in piece]
    ahead = np.cumsum([0, *map(len, pieces)])
    rows = [(song, window) for song in range(len(pieces)) for window in range(WINDOWS_PER_PIECE)]
    first, end = [], []
    for song, window in rows:
        starts = np.array([start for start, _, _, _ in pieces[song]], int)
        ends = np.array([stop for _, stop, _, _ in pieces[song]], int)
        first.append(ahead[song] + int(np.argmax(ends > STEPS * window)))
        end.append(ahead[song] + int((starts < STEPS * (window + 1)).sum()))
    columns = [*zip(*notes, strict=True)] if notes else [()] * 4
    arrays = dict(zip(("start", "end", "pitch", "velocity"), columns, strict=True))
    arrays |= {"song": [song for song, _ in rows], "window": [window for _, window in rows]}
    arrays |= {"first_note": first, "end_note": end, "split": splits}
    return WindowCorpus(about={}, **{name: np.array(arrays[name], kind) for name, kind in DTYPES.items()})


@pytest.fixture(scope="session")
def window_corpus() -> WindowCorpus:
    """Chords of up to three notes, some held over the border of a window."""
    pieces = []
    for piece in range(len(PIECE_SPLITS)):
        notes = []
        for k in range(96):
            for voice in range(1 + (k + piece) % 3):
                start = 4 * k + (voice + piece) % 2
                pitch = 36 + (7 * piece + 5 * k + 4 * voice * voice + 12 * voice) % 60
                notes.append((start, start + 2 + (k % 5), pitch, 30 + (11 * k + 29 * voice + piece) % 90))
        pieces.append(sorted(notes, key=lambda note: (note[0], note[2])))
    return window_corpus_of(pieces, [int(split) for split in PIECE_SPLITS])


@pytest.fixture(params=["bars", "windows"])
def music(request: pytest.FixtureRequest, corpus: Corpus, window_corpus: WindowCorpus) -> Corpus | WindowCorpus:
    """Each kind of corpus."""
    return corpus if request.param == "bars" else window_corpus


@pytest.fixture
def prompts() -> Callable[[Corpus | WindowCorpus], tuple[np.ndarray, np.ndarray]]:
    """First bars and chords of real phrases of eight bars, in the corpus's own form."""

    def of(music: Corpus | WindowCorpus) -> tuple[np.ndarray, np.ndarray]:
        if isinstance(music, Corpus):
            rows = music.phrases(Split.PROMPTS)[:5]
            return music.melody[rows[:, 0]], music.chord[rows]
        first = music.rasterise(music.rows(Split.PROMPTS))[:, :16]
        return first, np.full((len(first), 8, 4), 24, np.int8)

    return of


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Makes a system of that name with a small network; `config` and `network` in place of the usual ones."""
    monkeypatch.setattr("trainables.rolls.gan._STATISTICS_BATCH", 2)
    monkeypatch.setattr("trainables.rolls.gan._DIAGNOSED", 6)

    def make(name: str, music: Corpus | WindowCorpus, *, seed: int = 0, horizon: int = 480, **parts: Any) -> Any:
        network, config = parts.get("network", NETWORKS[name]), parts.get("config", CONFIGS[name])
        return CLASSES[name](network, config, music, seed=seed, horizon=horizon)

    return make


@pytest.fixture
def learner_in_double(monkeypatch: pytest.MonkeyPatch) -> Callable[[Lstm | Vae], None]:
    """Makes a network and its windows double."""

    def convert(learner: Lstm | Vae) -> None:
        learner.module.double()
        single = learner.windows.draw

        def draw(size: int) -> Batch:
            return Batch(bar=single(size).bar.double(), condition=())

        monkeypatch.setattr(learner.windows, "draw", draw)

    return convert


@pytest.fixture
def weights() -> Callable[[Any], dict[str, torch.Tensor]]:
    """All tensors of a state, by path."""

    def flat(state: Any, path: str = "") -> dict[str, torch.Tensor]:
        if isinstance(state, torch.Tensor):
            return {path: state}
        items = state.items() if isinstance(state, dict) else enumerate(state) if isinstance(state, list) else ()
        return {k: v for key, value in items for k, v in flat(value, f"{path}/{key}").items()}

    return flat
