"""Musical material for the tests: diatonic melodies over chords, with repetition, and ways to spoil them."""

from collections.abc import Callable

import numpy as np
import pytest

RHYTHMS = ((4, 4, 4, 4), (4, 4, 8), (8, 4, 4), (2, 2, 4, 4, 4), (4, 2, 2, 4, 4), (6, 2, 4, 4), (2,) * 8, (12, 4))
SCALE = (0, 2, 4, 5, 7, 9, 11)
DEGREES = {0: 0, 5: 3, 7: 4, 21: 5}  # C, F, G, Am and the scale step of their root


def _bar(chord: int, near: int, lively: float, rng: np.random.Generator) -> tuple[list[int], int]:
    """A bar that starts on a chord tone and walks by small steps of the scale from there."""
    root = DEGREES[chord]
    tones = [root + third + 7 * octave for third in (0, 2, 4) for octave in (-1, 0, 1)]
    step = min(tones, key=lambda tone: abs(tone - near) + rng.random())
    line: list[int] = []
    for length in RHYTHMS[rng.choice(len(RHYTHMS), p=(0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.15, 0.05))]:
        pitch = 60 + SCALE[step % 7] + 12 * (step // 7) + int(rng.random() < 0.04)
        line += [-1 if rng.random() < 0.03 else pitch] * length
        leap = 3 if rng.random() < lively else 1
        step = int(np.clip(step + leap * rng.choice((-2, -1, 1, 2)), -3, 12))
    return line, step


def _phrase(rng: np.random.Generator) -> tuple[list[list[int]], list[int]]:
    chords = [0, *rng.choice((0, 5, 7, 21), size=5).tolist(), 7, 0]
    lines: list[list[int]] = []
    near, lively = 4, rng.random() / 2
    for index, chord in enumerate(chords):
        if index >= 4 and chord == chords[index - 4] and rng.random() < 0.6:
            lines.append(lines[index - 4])
            continue
        line, near = _bar(chord, near, lively, rng)
        lines.append(line)
    return lines, chords


def _songbook(num: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    phrases = [_phrase(rng) for _ in range(num)]
    key = rng.choice((-3, 0, 2, 5), size=num)
    lines = np.array([lines for lines, _ in phrases])
    chords = np.array([chords for _, chords in phrases])
    lines = np.where(lines < 0, -1, lines + key[:, None, None]).astype(np.int8)
    return lines, (chords // 12 * 12 + (chords + key[:, None]) % 12).astype(np.int8)


@pytest.fixture(scope="session")
def songbook() -> Callable[[int, int], tuple[np.ndarray, np.ndarray]]:
    """(number, seed) -> melody lines int8 (M, 8, 16) and chords int8 (M, 8)."""
    return _songbook


@pytest.fixture(scope="session")
def wrong_notes() -> Callable[[np.ndarray, float, int], np.ndarray]:
    """(lines, share, seed) -> lines; in bars 2-8 that share of steps is replaced by any pitch of four octaves."""

    def spoil(lines: np.ndarray, share: float, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        hit = rng.random(lines.shape) < share
        hit[:, 0] = False
        return np.where(hit, rng.integers(48, 96, lines.shape), lines).astype(np.int8)

    return spoil
