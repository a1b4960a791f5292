import wave
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from data_prep.chords import NO_CHORD, NUM_CHORDS, encode
from reporting import audio
from reporting.audio import PEAK, RATE, TAIL, TARGET_RMS, synthesize, write_wav
from reporting.midi import notes, tempo_of

STEP = RATE / 8  # samples in a sixteenth at 120 beats a minute


def phrase(seed: int = 0, num_bars: int = 8) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    """Held notes of 2 steps and more, with rests, over random chords."""
    rng = np.random.default_rng(seed)
    melody = rng.integers(48, 97, (num_bars, 8)).repeat(2, 1)
    melody[rng.random(melody.shape) < 0.1] = -1
    return melody.astype(np.int8), rng.integers(0, NUM_CHORDS, num_bars).astype(np.int8)


def no_chords(melody: NDArray[np.int8]) -> NDArray[np.int8]:
    return np.full(len(melody), NO_CHORD, np.int8)


def hertz(pitch: int) -> float:
    return 440 * 2 ** ((pitch - 69) / 12)


def strongest(sound: NDArray[np.float32], start: int, end: int) -> float:
    """Hertz of the highest peak between two samples, to a fraction of a bin."""
    window = sound[start:end] * np.hanning(end - start)
    size = 1 << 16
    return float(np.abs(np.fft.rfft(window, size)).argmax()) * RATE / size


@pytest.mark.parametrize("seed", range(3))
def test_every_melody_note_sounds_its_fundamental_from_its_onset(seed: int) -> None:
    melody, _ = phrase(seed)
    sound = synthesize(melody, no_chords(melody))
    long = [note for note in notes(melody) if note.end - note.start >= 2]
    assert len(long) > 20
    for note in long:
        # The note before still fades for 60 ms.
        start = round(note.start * STEP) + round(0.06 * RATE)
        found = strongest(sound, start, round(note.end * STEP))
        assert abs(12 * np.log2(found / hertz(note.pitch))) < 0.3, note


@pytest.mark.parametrize("chord", range(NO_CHORD))
def test_each_chord_sounds_its_three_tones(chord: int) -> None:
    silent = np.full((1, 16), -1, np.int8)
    sound = synthesize(silent, np.array([chord], np.int8))[: 2 * RATE]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    third = 3 if chord >= 12 else 4
    tones = [48 + chord % 12 + interval for interval in (0, third, 7)]
    others = [48 + chord % 12 + interval for interval in (-2, 2, 7 - third, 9)]
    # Half a hertz to a bin: a semitone here is at least 7 hertz wide.
    at = [spectrum[round(2 * hertz(tone)) - 2 : round(2 * hertz(tone)) + 3].max() for tone in tones + others]
    assert min(at[:3]) > 10 * max(at[3:])


@pytest.mark.parametrize("seed", range(5))
def test_loudness_is_the_target_and_the_peak_is_below_one(seed: int) -> None:
    sound = synthesize(*phrase(seed))
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() < 1
    assert np.sqrt(np.mean(sound[: -round(TAIL * RATE)] ** 2)) == pytest.approx(TARGET_RMS, rel=0.05)


def test_a_single_short_note_is_not_blown_up() -> None:
    melody = np.full((8, 16), -1, np.int8)
    melody[3, 5] = 72
    sound = synthesize(melody, no_chords(melody))
    assert TARGET_RMS < np.abs(sound).max() < 0.6


@pytest.mark.parametrize("tempo", [20.0, 400.0])
@pytest.mark.parametrize("pitch", [0, 21, 60, 120, 124])
def test_extreme_pitches_and_tempos_stay_in_range(pitch: int, tempo: float) -> None:
    melody = np.full((2, 16), pitch, np.int8)
    sound = synthesize(melody, no_chords(melody), tempo=tempo)
    assert np.isfinite(sound).all()
    assert 0 < np.abs(sound).max() <= PEAK + 1e-6


def test_a_pitch_above_the_highest_frequency_is_silent_rather_than_aliased() -> None:
    melody = np.full((1, 16), 127, np.int8)
    assert not synthesize(melody, no_chords(melody)).any()
    assert synthesize(melody, no_chords(melody), rate=44_100).any()


@pytest.mark.parametrize("tempo", [97.0, 120.0])
def test_a_note_begins_and_ends_on_its_steps(tempo: float) -> None:
    melody = np.full((2, 16), -1, np.int8)
    melody[1, 5:8] = 72
    sounding = np.flatnonzero(synthesize(melody, no_chords(melody), tempo=tempo))
    step = RATE * 15 / tempo
    assert sounding[0] == pytest.approx(21 * step, abs=3)
    assert sounding[-1] == pytest.approx(24 * step + 0.06 * RATE, abs=3)


def test_a_silent_phrase_is_silence() -> None:
    sound = synthesize(np.full((2, 16), -1, np.int8), np.full(2, NO_CHORD, np.int8))
    assert sound.dtype == np.float32
    assert not sound.any()


@pytest.mark.parametrize(("tempo", "rate"), [(120.0, 22_050), (97.0, 22_050), (133.3, 48_000)])
def test_length_is_the_bars_and_a_tail(tempo: float, rate: int) -> None:
    melody, chord = phrase()
    expected = round(8 * 16 * 15 / tempo * rate) + round(TAIL * rate)
    sound = synthesize(melody, chord, tempo=tempo, rate=rate)
    assert sound.shape == (expected,)
    assert not sound[-round(0.1 * rate) :].any()


def test_the_same_phrase_gives_the_same_bytes_from_a_cold_or_a_warm_cache() -> None:
    melody, chord = phrase()
    warm = [synthesize(melody, chord).tobytes() for _ in range(2)]
    audio._tone.cache_clear()
    assert {*warm, synthesize(melody, chord).tobytes()} == {warm[0]}


def test_no_clicks() -> None:
    """Bursts above 5 kHz, where notes this low have no partials, are what a click is heard by."""
    melody = np.array([[60, 60, 48, 48, 64, -1, 55, 67] * 2, [60] * 16], np.int8)
    sound = synthesize(melody, np.array([0, encode(9, minor=True)], np.int8))
    assert abs(sound[0]) < 1e-3
    assert np.abs(np.diff(sound)).max() < 0.25 * np.abs(sound).max()
    spectrum = np.fft.rfft(sound)
    spectrum[: round(5000 / RATE * len(sound))] = 0
    assert np.abs(np.fft.irfft(spectrum, len(sound))).max() < 1e-3 * np.abs(sound).max()


def test_a_wav_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    sound = synthesize(*phrase())
    write_wav(path, sound, RATE)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    np.testing.assert_allclose(samples / 32767, sound, atol=1 / 32767)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "bad", [np.array([0, np.nan], np.float32), np.array([1.5], np.float32), np.zeros((2, 2), np.float32)]
)
def test_what_is_no_sound_is_refused_and_the_old_file_stays(tmp_path: Path, bad: NDArray[np.float32]) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="samples"):
        write_wav(path, bad)
    assert path.read_bytes() == b"old"


def keys(*struck: tuple[int, int, int, int]) -> NDArray[np.uint8]:
    """A bar of piano music with notes of key, first step, step after the last, velocity."""
    music = np.zeros((1, 16, 128), np.uint8)
    for key, start, end, velocity in struck:
        music[0, start:end, key] = velocity
    return music


def test_every_key_of_piano_music_sounds_as_loud_as_it_is_struck() -> None:
    sound = synthesize(keys((60, 0, 16, 100), (67, 0, 16, 50)))
    spectrum = np.abs(np.fft.rfft(sound[:RATE] * np.hanning(RATE)))  # a hertz to a bin
    loud, soft = (spectrum[round(hertz(key)) - 2 : round(hertz(key)) + 3].max() for key in (60, 67))
    assert soft / loud == pytest.approx(
        0.25, rel=0.2
    )  # the square of the velocities' ratio, as the higher fades faster
    assert spectrum[round(hertz(64)) - 2 : round(hertz(64)) + 3].max() < soft / 10


def test_piano_music_sounds_at_its_pace() -> None:
    for steps_per_second in (1.0, 16.0, 200.0):
        sound = synthesize(keys((60, 8, 16, 80)), tempo=tempo_of(steps_per_second))
        assert len(sound) == round(16 / steps_per_second * RATE) + round(TAIL * RATE)
        first = int(np.flatnonzero(sound)[0])
        assert first == pytest.approx(8 / steps_per_second * RATE, abs=2)


def test_piano_music_is_as_loud_as_melodies_and_silence_is_silence() -> None:
    sound = synthesize(np.full((8, 16, 128), 100, np.uint8), tempo=tempo_of(16.0))
    assert np.abs(sound).max() <= PEAK + 1e-6
    quiet = synthesize(keys((60, 0, 16, 1)), tempo=tempo_of(16.0))
    assert np.sqrt(np.mean(quiet[:RATE] ** 2)) == pytest.approx(TARGET_RMS, rel=0.05)
    assert not synthesize(keys()).any()


def test_long_tones_are_not_kept() -> None:
    audio._tone.cache_clear()
    synthesize(np.full((8, 16, 128), 100, np.uint8), tempo=tempo_of(16.0))
    assert audio._tone.cache_info().currsize == 0
    synthesize(keys((60, 0, 16, 100)), tempo=tempo_of(16.0))
    assert audio._tone.cache_info().currsize == 1
