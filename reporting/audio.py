"""Phrases as sound, by additive synthesis in NumPy: no sound font, no library, the same samples every time."""

import functools
import io
import wave
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from data_prep.files import write_atomic
from reporting.midi import STEPS_PER_BAR, Music, Note, check_phrase, chord_notes, is_piano, notes, step_seconds

RATE: Final = 22_050
"""Samples per second: half a compact disc's, enough for five partials of any melody."""
TARGET_RMS: Final = 0.1
"""Loudness of every phrase while it sounds, full scale 1: listeners prefer the louder of two."""
PEAK: Final = 0.95
TAIL: Final = 0.3
"""Seconds after the last bar, in which its notes fade."""

_PARTIALS: Final = (1.0, 0.45, 0.25, 0.12, 0.06)
_ATTACK: Final = 0.004
_RELEASE: Final = 0.06  # shorter than TAIL
_DECAY: Final = 1.2  # seconds to 1/e for middle C; an octave higher, the square root of two shorter
_CHORD_GAIN: Final = 0.3
_SHARED: Final = 2.0  # seconds; longer tones are made anew, as they would fill the memory
_BLOCK: Final = 256


def synthesize(
    music: Music, chord: NDArray[np.int8] | None = None, *, tempo: float = 120.0, rate: int = RATE
) -> NDArray[np.float32]:
    """Mono float32 (L,): B bars at `tempo` beats a minute and a tail of 0.3 s, at `rate` samples a second.

    A melody sounds above its chords; the notes of piano music are as loud as they are struck.

    The RMS over the samples where a note sounds is TARGET_RMS, less where the peak would pass PEAK, so
    that phrases can be compared by ear; silence stays silence. ValueError for a phrase that is none.
    """
    check_phrase(music, chord)
    if rate < 1000:
        raise ValueError(f"The rate must be at least 1000 samples a second, not {rate}.")
    step = step_seconds(tempo) * rate
    sound = np.zeros(round(len(music) * STEPS_PER_BAR * step) + round(TAIL * rate), np.float32)
    sounding = np.zeros(len(sound), np.bool_)
    struck = notes(music)
    _mix(sound, sounding, struck, [_loudness(note) if is_piano(music) else 1.0 for note in struck], step, rate)
    if chord is not None:
        struck = chord_notes(chord)
        _mix(sound, sounding, struck, [_CHORD_GAIN] * len(struck), step, rate)
    return _level(sound, sounding)


def write_wav(path: Path, sound: NDArray[np.float32], rate: int = RATE) -> None:
    """Write `as_wav` of the sound, whole or not at all."""
    write_atomic(path, as_wav(sound, rate))


def as_wav(sound: NDArray[np.float32], rate: int = RATE) -> bytes:
    """Sound (L,) in -1..1 as a file of 16-bit mono WAV. ValueError outside that range."""
    if sound.ndim != 1 or not np.all(np.abs(sound) <= 1):  # a NaN fails it too
        raise ValueError(f"Sound is one row of samples in -1..1, not these of shape {sound.shape}.")
    packed = io.BytesIO()
    with wave.open(packed, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.round(sound * 32767).astype("<i2").tobytes())
    return packed.getvalue()


def _mix(
    sound: NDArray[np.float32],
    sounding: NDArray[np.bool_],
    struck: list[Note],
    gains: list[float],
    step: float,
    rate: int,
) -> None:
    """Add notes to sound and mark where they are held, both in place; `step` in samples."""
    for note, gain in zip(struck, gains, strict=True):
        start, length = round(note.start * step), round((note.end - note.start) * step)
        tone = (_tone if length <= _SHARED * rate else _tone.__wrapped__)(note.pitch, length, rate)
        sound[start : start + len(tone)] += np.float32(gain) * tone
        sounding[start : start + length] = True


def _loudness(note: Note) -> float:
    """Amplitude of a note by its velocity: its square, as the MIDI Association's Downloadable Sounds have it."""
    return (note.velocity / 127) ** 2


def _level(sound: NDArray[np.float32], sounding: NDArray[np.bool_]) -> NDArray[np.float32]:
    peak = float(np.abs(sound).max())
    if peak == 0:
        return sound
    rms = float(np.sqrt(np.mean(np.square(sound[sounding], dtype=np.float64))))
    level: NDArray[np.float32] = sound * np.float32(min(TARGET_RMS / rms, PEAK / peak))
    return level


@functools.lru_cache(maxsize=256)  # phrases share most of their tones; at most 50 MB
def _tone(pitch: int, length: int, rate: int) -> NDArray[np.float32]:
    """One note held for `length` samples, and its release."""
    frequency = 440.0 * 2 ** ((pitch - 69) / 12)
    decay = _DECAY * 2 ** ((60 - pitch) / 24)
    release = _fade(round(_RELEASE * rate))[::-1]
    # The powers of one damped wave are its partials, each fading faster than the one below: Horner's rule.
    damped = _geometric((2j * np.pi * frequency - 1 / decay) / rate, length + len(release))
    audible = [weight for n, weight in enumerate(_PARTIALS, 1) if n * frequency < rate / 2]  # no aliasing
    total = np.zeros_like(damped)
    for weight in reversed(audible):
        total += np.float32(weight)
        total *= damped
    tone: NDArray[np.float32] = total.imag.copy()
    attack = _fade(round(_ATTACK * rate))[:length]
    tone[: len(attack)] *= attack
    tone[length:] *= release
    tone.flags.writeable = False  # it is shared by every later call
    return tone


def _geometric(exponent: complex, count: int) -> NDArray[np.complex64]:
    """complex64 (count,): exp(exponent * n), by blocks: two short exponentials instead of a long one."""
    coarse = np.exp(exponent * _BLOCK * np.arange(-(-count // _BLOCK)))
    fine = np.exp(exponent * np.arange(_BLOCK))
    return np.outer(coarse.astype(np.complex64), fine.astype(np.complex64)).ravel()[:count]


@functools.lru_cache(maxsize=8)
def _fade(count: int) -> NDArray[np.float32]:
    """float32 (count,): half a cosine from 0 to just under 1: no corner, so no click."""
    fade: NDArray[np.float32] = (0.5 - 0.5 * np.cos(np.pi * np.arange(count) / count)).astype(np.float32)
    return fade
