import numpy as np

from data_prep import bars, chords
from scores.baselines import RandomBars, RandomBarsByChord, RandomNotes, TrainingMusic


def keys(melody: np.ndarray) -> set[bytes]:
    return {bar.tobytes() for bar in melody.reshape(-1, 16)}


def prompt(chord: int, num: int = 50, num_bars: int = 4) -> tuple[np.ndarray, np.ndarray]:
    return np.full((num, 16), 60, np.int8), np.full((num, num_bars), chord, np.int8)


def test_bars_by_chord_are_training_bars_with_that_chord_and_in_time_all_of_them(training: TrainingMusic) -> None:
    for chord in np.unique(training.chord):
        drawn = RandomBarsByChord(training).generate(*prompt(int(chord), 3000, 2), seed=0)[:, 1:]
        assert keys(drawn) == keys(training.melody[training.chord == chord])


def test_each_bar_of_a_phrase_has_its_own_chord(training: TrainingMusic) -> None:
    wanted = np.unique(training.chord)[:6][None].repeat(20, axis=0)
    phrases = RandomBarsByChord(training).generate(np.full((20, 16), 60, np.int8), wanted, seed=0)
    for bar, chord in enumerate(wanted[0, 1:], 1):
        assert keys(phrases[:, bar]) <= keys(training.melody[training.chord == chord])


def music(*bars_of_chords: tuple[int, int]) -> TrainingMusic:
    """One bar of one pitch over each chord, none after another."""
    return TrainingMusic(
        melody=np.repeat(np.array([[pitch] for _, pitch in bars_of_chords], np.int8), 16, axis=1),
        chord=np.array([chord for chord, _ in bars_of_chords], np.int8),
        previous=np.full(len(bars_of_chords), -1),
    )


def test_an_unseen_chord_borrows_from_its_quality_by_the_shorter_way() -> None:
    training = music((0, 60), (5, 72), (14, 65), (24, 90))  # C, F, Dm, none
    for chord in range(12):
        moved = {60 + (chord + 6) % 12 - 6, 72 + (chord - 5 + 6) % 12 - 6}
        wanted = {0: {60}, 5: {72}}.get(chord, moved)
        drawn = RandomBarsByChord(training).generate(*prompt(chord), seed=0)[:, 1:]
        assert set(np.unique(drawn)) == wanted
    drawn = RandomBarsByChord(training).generate(*prompt(12 + 11), seed=0)[:, 1:]
    assert set(np.unique(drawn)) == {62}  # Bm lies three semitones below Dm, not nine above


def test_borrowed_bars_stand_to_their_chord_as_they_did(training: TrainingMusic) -> None:
    unseen = np.setdiff1d(np.arange(24), training.chord)
    assert len(unseen)
    for chord in unseen:
        drawn = RandomBarsByChord(training).generate(*prompt(int(chord), 200), seed=0)[:, 1:]
        source = np.flatnonzero(training.chord // 12 == chord // 12)
        shift = (chord - training.chord[source].astype(int) + 6) % 12 - 6
        assert (chords.transpose(training.chord[source], shift) == chord).all()
        assert keys(drawn) <= keys(bars.transpose(training.melody[source], shift))


def test_a_quality_unseen_takes_any_bar_as_it_is() -> None:
    training = music((0, 60), (5, 72))
    for chord in (12, 20, 24):
        drawn = RandomBarsByChord(training).generate(*prompt(chord), seed=0)[:, 1:]
        assert set(np.unique(drawn)) == {60, 72}


def test_random_bars_are_training_bars_over_any_chord(training: TrainingMusic) -> None:
    drawn = RandomBars(training).generate(*prompt(0, 4000, 2), seed=0)[:, 1:]
    assert keys(drawn) == keys(training.melody)


def test_random_notes_are_spread_evenly_over_two_octaves() -> None:
    drawn = RandomNotes().generate(*prompt(0, 1000), seed=0)[:, 1:]
    pitch, count = np.unique(drawn, return_counts=True)
    np.testing.assert_array_equal(pitch, np.arange(60, 84))
    np.testing.assert_allclose(count, 2000, atol=6 * 2000**0.5)
