import numpy as np
import pytest

from data_prep.errors import UserError
from data_prep.formats.midi import Track
from data_prep.options import Options
from data_prep.sources.midi_tracks import choose


def tracks(*names: str) -> list[Track]:
    """Tracks of these names; drums where it begins with a *."""
    note = np.array([[0, 1, 60, 80]])
    return [
        Track(name=name.removeprefix("*"), is_drum=name.startswith("*"), notes=note, pedal=note[:0, :2])
        for name in names
    ]


def chosen(names: list[str], **options: str | None) -> tuple[int, int | None]:
    """The numbers of the melody and the chord track, from 1 on."""
    given = tracks(*names)
    roles = choose(given, Options(**options))  # type: ignore[arg-type]
    place = {id(track): number for number, track in enumerate(given, 1)}
    return place[id(roles.melody)], None if roles.chords is None else place[id(roles.chords)]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["", ""], (1, 2)),
        (["*Kit", "", ""], (2, 3)),
        (["Chords", "Track 2"], (2, 1)),
        (["Track 1", "Lead Vocals"], (2, 1)),
        (["MELODY", "BRIDGE", "PIANO"], (1, 3)),
        (["Strings", "Piano", "lead_guitar", "Voice 1"], (4, 2)),
        (["Guitar", "Chords", "Melody", "Lead"], (3, 2)),
        (["Acoustic Guitar", "*Drums", "Vocal\n", "Bass"], (3, 1)),
    ],
)
def test_the_tracks_are_told_by_their_names_or_their_order(names: list[str], expected: tuple[int, int]) -> None:
    assert chosen(names) == expected


@pytest.mark.parametrize(
    ("melody", "chords", "expected"),
    [
        ("3", None, (3, 2)),
        (None, "1", (4, 1)),
        ("piano", "PIANO 2", (2, 3)),  # a name in full goes before a part of one
        ("ano 2", "oo", (3, 1)),
    ],
)
def test_the_user_has_the_last_word(melody: str | None, chords: str | None, expected: tuple[int, int]) -> None:
    assert chosen(["Zoo", "Piano", "Piano 2", "Melody"], melody_track=melody, chord_track=chords) == expected


@pytest.mark.parametrize("names", [("", ""), ("Chords", "Chords"), ("Gitarre", "Gesang"), ("Melody", "Melody")])
def test_of_two_tracks_that_no_name_tells_apart_the_one_with_more_notes_at_once_has_the_chords(
    names: tuple[str, str],
) -> None:
    triads = np.array([[start, start + 4, pitch, 80] for start in (0, 4) for pitch in (48, 52, 55)])
    melody = np.array([[start, start + 1, 60 + start, 80] for start in range(8)])
    for notes, expected in (((triads, melody), (2, 1)), ((melody, triads), (1, 2))):
        given = [Track(name=n, is_drum=False, notes=x, pedal=x[:0, :2]) for n, x in zip(names, notes, strict=True)]
        roles = choose(given, Options())
        assert (roles.melody is given[expected[0] - 1], roles.chords is given[expected[1] - 1]) == (True, True)


def test_of_two_tracks_the_one_not_asked_for_has_the_other_role() -> None:
    assert chosen(["", ""], melody_track="2") == (2, 1)
    assert chosen(["", ""], chord_track="1") == (2, 1)


def test_a_track_that_has_one_role_is_not_guessed_for_the_other() -> None:
    assert chosen(["Lead Piano", "Solo", "Strings"], chord_track="1") == (2, 1)
    assert chosen(["Vocal Harmony", "Guitar", "Strings"], melody_track="1") == (1, 2)


@pytest.mark.parametrize(
    ("names", "options", "rule"),
    [
        (["a", "b", "c"], {}, "which track is the melody.*1 'a', 2 'b', 3 'c'.*--melody-track"),
        (["Melody", "b", "*c"], {"melody_track": "4"}, r"no track '4'.*1 'Melody', 2 'b', 3 'c' \(drums\)"),
        (["Melody", "b", "c"], {}, "which track has the chords.*--chord-track"),
        (["Melody", "b", "c"], {"chord_track": "x"}, "no track 'x'.*--chord-track"),
        (["Melody", "b", "c"], {"chord_track": ""}, "no track ''"),
        (["*c"], {}, "which track is the melody"),
        (["Melody"], {}, "only one track.*--chords optional"),
        (["Piano"], {}, "only one track.*--chords optional"),
        (["Melody", "*c"], {}, "only one track.*--chords optional"),
        (["a", "b"], {"melody_track": "2", "chord_track": "b"}, "'b' cannot be both"),
        (["\x1b[2J"] * 20, {}, r"1 '\\\\x1b.*and 12 more"),
    ],
)
def test_what_is_left_open_is_asked_with_the_names_there_are(
    names: list[str], options: dict[str, str], rule: str
) -> None:
    with pytest.raises(UserError, match=rule) as caught:
        chosen(names, **options)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(("names", "melody"), [(["a"], 1), (["*k", "a"], 2), (["b", "Melody", "c"], 2)])
def test_chords_may_be_wanting_where_they_are_optional(names: list[str], melody: int) -> None:
    assert chosen(names, chords="optional") == (melody, None)
