import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations, groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_prep.corpus import Corpus, load
from data_prep.locate import resolve
from scores import copying
from scores.copying import TrainingWindows, copy_auc, near_copy_rate

pytestmark = pytest.mark.filterwarnings("error")

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]
NO_TRAINING = TrainingWindows.of_lines(np.zeros((0, 4, 16), np.int8))


def relative(window: np.ndarray) -> list[int | None]:
    steps = window.ravel().tolist()
    first = next((pitch for pitch in steps if pitch >= 0), 0)
    return [None if pitch < 0 else pitch - first for pitch in steps]


def num_onsets(window: np.ndarray) -> int:
    return sum(pitch >= 0 for bar in window.tolist() for pitch, _ in groupby(bar))


def rate_by_loop(phrases: np.ndarray, training: np.ndarray) -> float:
    known = [relative(window) for window in training]
    windows = [phrase[start : start + 4] for phrase in phrases for start in range(1, phrases.shape[1] - 3)]
    copies = 0
    for window in windows:
        steps = relative(window)
        distances = [sum(a != b for a, b in zip(steps, other, strict=True)) for other in known]
        copies += num_onsets(window) >= 6 and min(distances, default=64) <= 6
    return copies / len(windows)


def after_a_prompt(windows: np.ndarray) -> np.ndarray:
    """Phrases (M, 5, 16) whose one generated window each is the given one."""
    return np.concatenate([np.full((len(windows), 1, 16), -1, np.int8), windows], axis=1)


def tune(seed: int = 0) -> np.ndarray:
    """A window (1, 4, 16) without rests whose neighbouring steps all differ."""
    steps = np.random.default_rng(seed).permutation(64)
    return (40 + steps).astype(np.int8).reshape(1, 4, 16)


def with_changed(window: np.ndarray, steps: list[int] | tuple[int, ...]) -> np.ndarray:
    changed = window.reshape(64).copy()
    changed[list(steps)] = 104 + changed[list(steps)] % 20  # above every pitch of `tune`
    return changed.reshape(1, 4, 16)


@given(st.integers(0, 2**32 - 1), st.integers(0, 12), st.integers(0, 6), st.integers(5, 8), st.integers(1, 40))
@settings(deadline=None, max_examples=60)
def test_the_rate_equals_a_comparison_with_every_window(
    seed: int, num_training: int, num_phrases: int, num_bars: int, spread: int
) -> None:
    rng = np.random.default_rng(seed)
    training = np.repeat(rng.integers(60, 60 + spread, (num_training, 4, 4)), 4, axis=2)
    training[rng.random(training.shape) < 0.1] = -1
    phrases = np.repeat(rng.integers(60, 60 + spread, (num_phrases, num_bars, 4)), 4, axis=2)
    for phrase in phrases[: num_phrases * (num_training > 0)]:
        known = training[rng.integers(num_training)]
        phrase[1:5] = np.where(known < 0, -1, known + rng.integers(4))
        hit = rng.random(phrase.shape) < rng.choice((0.0, 0.05, 0.1, 0.15))
        phrase[hit] = rng.integers(-1, 80, hit.sum())
    index = TrainingWindows.of_lines(training.astype(np.int8))
    if num_phrases == 0:
        assert np.isnan(near_copy_rate(phrases, index))
    else:
        assert near_copy_rate(phrases, index) == pytest.approx(rate_by_loop(phrases, training), abs=1e-12)


def test_no_near_copy_is_missed_wherever_its_changed_steps_lie() -> None:
    # Each of the ways to change one step in six of the ten blocks, and a few thousand others.
    rng = np.random.default_rng(0)
    choices = [[1 + (block - 1) % 10 + 10 * rng.integers(6) for block in six] for six in combinations(range(10), 6)]
    choices += [rng.choice(np.arange(1, 64), 6, replace=False).tolist() for _ in range(3000)]
    phrases = after_a_prompt(np.concatenate([with_changed(tune(), steps) for steps in choices]))
    assert near_copy_rate(phrases, TrainingWindows.of_lines(tune())) == 1


def test_six_changed_steps_are_a_near_copy_and_seven_are_not() -> None:
    index = TrainingWindows.of_lines(np.concatenate([tune(1), tune(2)]))
    for seed in range(50):
        steps = 1 + np.random.default_rng(seed).permutation(63)[:7]
        assert near_copy_rate(after_a_prompt(with_changed(tune(2), tuple(steps[:6]))), index) == 1
        assert near_copy_rate(after_a_prompt(with_changed(tune(2), tuple(steps))), index) == 0


def test_a_copy_in_another_key_is_a_copy_and_a_rest_equals_only_a_rest() -> None:
    window = tune()
    index = TrainingWindows.of_lines(window)
    assert near_copy_rate(after_a_prompt(window + np.int8(13)), index) == 1
    rests = window.copy()
    rests[0, 1, :7] = -1
    assert near_copy_rate(after_a_prompt(rests), index) == 0
    assert near_copy_rate(after_a_prompt(rests), TrainingWindows.of_lines(rests - (rests > 0))) == 1


def test_the_widest_leaps_are_told_from_rests() -> None:
    window = np.array([127, 0] * 32, np.int8).reshape(1, 4, 16)
    silent = np.where(window == 0, -1, window).astype(np.int8)
    assert near_copy_rate(after_a_prompt(silent), TrainingWindows.of_lines(window)) == 0
    assert near_copy_rate(after_a_prompt(window), TrainingWindows.of_lines(window)) == 1


def test_the_prompt_is_not_counted_and_every_later_window_is() -> None:
    training = np.concatenate([tune(seed) for seed in range(3)])
    phrase = np.full((1, 8, 16), -1, np.int8)
    phrase[0, :4] = training[0]
    index = TrainingWindows.of_lines(training)
    assert near_copy_rate(phrase, index) == 0
    phrase[0, 2:6] = training[1]
    assert near_copy_rate(phrase, index) == 1 / 4
    phrase[0, 4:] = training[2]
    assert near_copy_rate(phrase, index) == 1 / 4


@pytest.mark.parametrize(
    ("half_bars", "onsets", "rate"), [([60] * 6 + [60, 61], 5, 0), ([60] * 4 + [60, 61, 61, 62], 6, 1)]
)
def test_windows_with_fewer_than_six_onsets_are_no_copies(half_bars: list[int], onsets: int, rate: float) -> None:
    window = np.repeat(half_bars, 8).reshape(1, 4, 16)  # notes that are held over the bar line start again
    assert num_onsets(window[0]) == onsets
    assert near_copy_rate(after_a_prompt(window), TrainingWindows.of_lines(window)) == rate


def test_silence_copies_nothing_though_it_is_in_the_training_music() -> None:
    silence = np.full((3, 8, 16), -1, np.int8)
    assert near_copy_rate(silence, TrainingWindows.of_lines(silence[:, :4])) == 0


@pytest.mark.parametrize("shape", [(0, 8, 16), (3, 4, 16), (3, 1, 16), (3, 0, 16)])
def test_without_windows_the_rate_is_undefined(shape: tuple[int, int, int]) -> None:
    assert np.isnan(near_copy_rate(np.full(shape, 60, np.int8), NO_TRAINING))


def test_without_training_music_nothing_is_a_copy(songbook: Songbook) -> None:
    assert near_copy_rate(songbook(4, 0)[0], NO_TRAINING) == 0


@pytest.mark.parametrize("steps", [12, 20])
def test_windows_alike_in_most_of_their_steps_are_told_apart(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_PAIRS_AT_ONCE", 1000)
    rng = np.random.default_rng(steps)
    windows = np.full((500, 64), 60)
    windows[:, -steps:] = rng.integers(50, 53, (500, steps))
    windows = windows.reshape(500, 4, 16)
    phrases = after_a_prompt(windows[300:])
    rate = near_copy_rate(phrases, TrainingWindows.of_lines(windows[:300]))
    assert rate == pytest.approx(rate_by_loop(phrases, windows[:300]), abs=1e-12)
    assert 0 < rate < 1 or steps == 12


def test_no_window_is_compared_with_more_windows_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    windows = np.full((600, 64), 60)
    windows[:, 8::10], windows[:, 9::10] = rng.integers(40, 90, (600, 6)), rng.integers(40, 90, (600, 6))
    index = TrainingWindows.of_lines(windows[:400].reshape(400, 4, 16))
    candidates, compared = copying._candidates, []

    def counted(first: np.ndarray, last: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for query, position in candidates(first, last):
            compared.append(len(query))
            yield query, position

    monkeypatch.setattr(copying, "_candidates", counted)
    near_copy_rate(after_a_prompt(windows[400:].reshape(200, 4, 16)), index)
    assert 0 < sum(compared) <= 200 * 400


def test_equal_hashes_cost_time_and_nothing_else(songbook: Songbook, monkeypatch: pytest.MonkeyPatch) -> None:
    training, phrases = songbook(60, 1)[0][:, :4], songbook(60, 1)[0][20:40]
    phrases = np.concatenate([phrases[:, 4:5], phrases[:, :4]], axis=1)
    expected = near_copy_rate(phrases, TrainingWindows.of_lines(training))
    monkeypatch.setattr(copying, "_WEIGHTS", np.zeros(64, np.uint32))
    assert near_copy_rate(phrases, TrainingWindows.of_lines(training)) == expected > 0


def test_the_index_keeps_each_window_once_whatever_its_key_and_survives_pickling(songbook: Songbook) -> None:
    lines = songbook(50, 2)[0]
    once = TrainingWindows.of_lines(lines[:, :4])
    twice = TrainingWindows.of_lines(
        np.concatenate([lines[:, :4], lines[::-1, :4] + np.int8(1) * (lines[::-1, :4] >= 0)])
    )
    assert len(once.windows) == len(twice.windows) <= 50
    copied = pickle.loads(pickle.dumps(once))
    assert near_copy_rate(lines, copied) == near_copy_rate(lines, once)
    size = once.windows.nbytes + once.keys.nbytes + once.order.nbytes
    assert size == 160 * len(once.windows)
    assert len(pickle.dumps(once)) < size + 1000


def test_arrays_that_may_not_be_written_as_in_shared_memory_will_do(songbook: Songbook) -> None:
    lines = songbook(20, 3)[0]
    index = TrainingWindows.of_lines(lines[:, 1:5])
    shared = replace(index, windows=index.windows.copy(), keys=index.keys.copy(), order=index.order.copy())
    for array in (shared.windows, shared.keys, shared.order, lines):
        array.flags.writeable = False
    assert near_copy_rate(lines, shared) == near_copy_rate(lines, index) > 0


@pytest.mark.parametrize(
    "lines", [np.zeros((2, 4, 15)), np.zeros((2, 64)), np.zeros((2, 8, 16)), np.full((2, 4, 16), 128)]
)
def test_an_index_of_anything_but_windows_is_refused(lines: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"Windows must be|A step is"):
        TrainingWindows.of_lines(lines.astype(np.int16))


@pytest.mark.parametrize("phrases", [np.zeros((5, 16)), np.zeros((2, 8, 12)), np.full((2, 8, 16), -2)])
def test_anything_but_phrases_is_refused(phrases: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"must be of shape|A step is"):
        near_copy_rate(phrases.astype(np.int16), NO_TRAINING)


def runs(corpus: Corpus, num_bars: int) -> np.ndarray:
    """Rows (W, num_bars) of bars that follow each other."""
    rows = np.arange(len(corpus.prev))[:, None]
    for _ in range(num_bars - 1):
        before = corpus.prev[rows[:, 0]]
        rows = np.column_stack([before, rows])[before >= 0]
    return rows


def test_real_songs_copy_themselves_and_hardly_each_other() -> None:
    corpus = load(resolve("builtin"))
    training = corpus.split[corpus.song] == 0
    windows, phrases = runs(corpus, 4), runs(corpus, 8)[::5]
    index = TrainingWindows.of_lines(corpus.melody[windows[training[windows[:, 0]]]])
    of_training = training[phrases[:, 0]]
    seen, unseen = corpus.melody[phrases[of_training]], corpus.melody[phrases[~of_training]]
    generated = [window for phrase in seen for window in (phrase[1:5], phrase[2:6], phrase[3:7], phrase[4:])]
    lively = float(np.mean([num_onsets(window) >= 6 for window in generated]))
    assert lively > 0.9
    assert near_copy_rate(seen, index) == pytest.approx(lively)
    assert near_copy_rate(unseen, index) < 0.2


def test_copy_auc_is_a_half_for_new_music_and_one_for_copies() -> None:
    rng = np.random.default_rng(0)
    training, held_out, new = (rng.normal(size=(200, 8)) for _ in range(3))
    assert copy_auc(new, held_out, training) == pytest.approx(0.5, abs=0.06)
    assert copy_auc(training[:50], held_out, training) == 1
    assert copy_auc(held_out, training[:50], training) == 0
    assert copy_auc(training[:50], training[50:], training) == 0.5  # all at distance 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
@settings(deadline=None, max_examples=30)
def test_copy_auc_equals_a_loop(seed: int, n: int, m: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    generated, held_out, training = (rng.integers(0, 3, size=(size, 2)).astype(float) for size in (n, m, k))
    near, far = ([min(((x - y) ** 2).sum() for y in training) for x in rows] for rows in (generated, held_out))
    wins = [(a < b) + (a == b) / 2 for a in near for b in far]
    assert copy_auc(generated, held_out, training) == pytest.approx(float(np.mean(wins)), abs=1e-12)


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_copy_auc_without_one_of_its_sets_is_undefined(empty: int) -> None:
    sets = [np.zeros((0 if empty == i else 3, 5)) for i in range(3)]
    assert np.isnan(copy_auc(*sets))
