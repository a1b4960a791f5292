"""Which track of a MIDI file is the melody, and which one plays the chords."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.formats.midi import Track
from data_prep.options import Options
from data_prep.sources.by_name import place_of

MELODY_NAMES: Final = ("melody", "vocal", "vocals", "voice", "vox", "lead", "soprano", "tune", "solo", "singer")
CHORD_NAMES: Final = (
    *("chord", "chords", "harmony", "accompaniment", "comp", "comping", "backing"),
    *("piano", "keys", "keyboard", "guitar", "organ"),
)
"""Words in the names of tracks that say what they play, the surest first."""

_WORD: Final = re.compile(r"[^\W\d_]+")


class Roles(NamedTuple):
    """The two tracks that are read; no chords where there is no track for them and none is needed."""

    melody: Track
    chords: Track | None


def choose(tracks: Sequence[Track], options: Options) -> Roles:
    """The tracks asked for; else by their names; else, of two that are no drums, by which one plays chords.

    UserError, naming all tracks, where that settles no melody, or no chords and they are required.
    """
    melody = _asked_for(tracks, options.melody_track, "melody")
    chords = _asked_for(tracks, options.chord_track, "chord")
    pitched = [track for track in tracks if not track.is_drum]
    if len({track.name for track in pitched}) > 1:  # a file of one track has one name for all that it plays
        melody = melody or _named(pitched, MELODY_NAMES, chords)
        chords = chords or _named(pitched, CHORD_NAMES, melody)
    if len(pitched) == 2:
        pair = sorted(pitched, key=_notes_at_once)
        melody = melody or next(track for track in pair if track is not chords)
        chords = chords or next(track for track in reversed(pair) if track is not melody)
    elif len(pitched) == 1 and chords is None:
        melody = melody or pitched[0]
    if melody is not None and melody is chords:
        raise UserError(f"{melody.name!r} cannot be both; {_told(tracks)}; name two of them.")
    if melody is None:
        raise UserError(f"which track is the melody? {_told(tracks)}; name one with --melody-track.")
    if chords is None and options.chords == "required":
        if len(pitched) == 1:
            raise UserError("only one track with notes, so no chords; --chords optional takes its melody alone.")
        raise UserError(f"which track has the chords? {_told(tracks)}; name one with --chord-track.")
    return Roles(melody, chords)


def _asked_for(tracks: Sequence[Track], wanted: str | None, role: str) -> Track | None:
    """The track of that name or number. A name in full goes before a part of one."""
    if wanted is None:
        return None
    place = place_of(wanted, [track.name for track in tracks])
    if place is not None:
        return tracks[place]
    raise UserError(f"no track {wanted!r}: {_told(tracks)}; name one of them with --{role}-track.")


def _named(tracks: Sequence[Track], words: Sequence[str], taken: Track | None) -> Track | None:
    """The first track with the first of these words in its name."""
    spoken = [(set(_WORD.findall(track.name.casefold())), track) for track in tracks if track is not taken]
    return next((track for word in words for said, track in spoken if word in said), None)


def _notes_at_once(track: Track) -> float:
    """Notes that begin at a time, on average: 1 for a melody, 3 and more for chords."""
    return len(track.notes) / len(np.unique(track.notes[:, 0]))


def _told(tracks: Sequence[Track]) -> str:
    names = [
        f"{number} {shown(track.name.strip())[:30]!r}{' (drums)' if track.is_drum else ''}"
        for number, track in enumerate(tracks[:8], 1)
    ]
    more = f" and {len(tracks) - 8} more" if len(tracks) > 8 else ""
    return f"its tracks with notes are {', '.join(names)}{more}"
