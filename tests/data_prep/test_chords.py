import numpy as np
import pytest

from data_prep import chords

TRIADS = np.arange(24, dtype=np.int8)


def test_all_24_triads_round_trip_through_their_code_and_their_pitch_classes() -> None:
    for chord in range(24):
        root, minor = int(chords.CODE[chord, :12].argmax()), bool(chords.CODE[chord, 12])
        assert chords.encode(root, minor=minor) == chord
        assert chords.CODE[chord, :12].sum() == 1
        bass, third, fifth = chords.pitch_classes(chord)
        assert (bass, (third - bass) % 12, (fifth - bass) % 12) == (root, 3 if minor else 4, 7)
        assert set(np.flatnonzero(chords.TRIADS[chord])) == {bass, third, fifth}


def test_names_are_distinct_and_read_as_musicians_write_them() -> None:
    names = [chords.name(chord) for chord in range(chords.NUM_CHORDS)]
    assert len(set(names)) == chords.NUM_CHORDS
    assert (names[0], names[3], names[21], names[24]) == ("C", "Eb", "Am", "-")


def test_the_12_transpositions_of_a_chord_are_distinct_and_keep_its_mode() -> None:
    for chord in TRIADS:
        moved = chords.transpose(np.repeat(chord, 12), np.arange(12))
        assert len(set(moved.tolist())) == 12
        assert set((moved // 12).tolist()) == {chord // 12}
        assert moved.dtype == np.int8


@pytest.mark.parametrize("shift", [-24, -12, -7, -1, 0, 5, 12, 13])
def test_transposing_moves_every_pitch_class_by_the_shift(shift: int) -> None:
    for chord, moved in zip(TRIADS, chords.transpose(TRIADS, shift), strict=True):
        expected = {(tone + shift) % 12 for tone in chords.pitch_classes(int(chord))}
        assert set(chords.pitch_classes(int(moved))) == expected


def test_no_chord_stays_no_chord_and_is_all_zeros() -> None:
    none = np.full(25, chords.NO_CHORD, np.int8)
    assert (chords.transpose(none, np.arange(-12, 13)) == chords.NO_CHORD).all()
    assert not chords.CODE[chords.NO_CHORD].any()
    assert not chords.TRIADS[chords.NO_CHORD].any()


def test_a_root_outside_the_octave_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 11, not 12"):
        chords.encode(12, minor=False)
