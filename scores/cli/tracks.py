"""Which tracks of a MIDI file are scored, and which one gives the chords. Drums do neither."""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from data_prep.errors import UserError
from data_prep.folder import shown
from data_prep.formats.midi import Track
from data_prep.options import Options
from data_prep.sources.by_name import place_of
from data_prep.sources.midi_tracks import choose
from scores.cli.remarks import Remark

NO_TRACK: Final = "none"
"""As the name of the chords track: there is none."""

_CHORD_WORDS: Final = frozenset({"chord", "chords"})
_WORD: Final = re.compile(r"[^\W\d_]+")

_NO_SUCH_TRACK: Final = Remark(
    "no track as --chords-track names it beside a melody: chosen without it",
    "no track as --chords-track names it beside a melody in {files}: chosen without it there",
)
_ALL_MUSIC: Final = Remark(
    "all tracks taken as melody; --chords-track names the one with the chords",
    "all tracks taken as melody in {files}; --chords-track names the one with the chords",
)
_ALL_BUT_CHORDS: Final = Remark(
    "all tracks but the chords taken as melody", "all tracks but the chords taken as melody in {files}"
)


class Roles(NamedTuple):
    """The tracks that are scored, with their names as printed; the one that gives the chords, None for none."""

    music: tuple[Track, ...]
    names: tuple[str, ...]
    chords: Track | None
    chords_name: str | None
    remarks: tuple[Remark, ...] = ()


def whole(tracks: Sequence[Track], wanted: str | None = None) -> Roles:
    """All of a file: every track is scored but the chords.

    Args:
        tracks: at least one.
        wanted: name or number of the track that gives the chords, `none` for none; by default one whose name has the
            word chord or chords.

    Raises:
        UserError: only drums, or no such track to give the chords.
    """
    pitched = _pitched(tracks)
    chords = _chords_place(tracks, pitched, wanted)
    return _roles(tracks, [place for place in pitched if place != chords], chords)


def melody_and_chords(tracks: Sequence[Track], wanted: str | None = None) -> Roles:
    """The melody and the chords as `data_prep` reads them; all of a file, with a remark, where they cannot be told.

    `wanted` is as for `whole`; a file that has no such track is read as without it, with a remark. UserError for
    nothing but drums, or but chords.
    """
    pitched = _pitched(tracks)
    if len(pitched) == 1 and _is_chords(tracks[pitched[0]]):
        raise UserError("only chords in it, and no note of a melody.")
    if _is_none(wanted):
        return whole(tracks, wanted)
    place = None if wanted is None else place_of(wanted, printed(tracks))
    place = place if place in pitched and len(pitched) > 1 else None
    remarks = () if wanted is None or place is not None else (_NO_SUCH_TRACK,)
    number = None if place is None else str(place + 1)
    try:
        melody, chords = choose(tracks, Options(chords="optional", chord_track=number))
    except UserError:
        roles = whole(tracks, number)
        return roles._replace(remarks=(*remarks, _ALL_MUSIC if roles.chords is None else _ALL_BUT_CHORDS))
    places = [next(at for at, track in enumerate(tracks) if track is part) for part in (melody, chords) if part]
    return _roles(tracks, places[:1], places[1] if chords else None)._replace(remarks=remarks)


def printed(tracks: Sequence[Track]) -> list[str]:
    """Their names as they are printed, and may be typed; a track without a name has its number for one."""
    return [shown(track.name.strip()) or f"track {number}" for number, track in enumerate(tracks, 1)]


def _pitched(tracks: Sequence[Track]) -> list[int]:
    pitched = [place for place, track in enumerate(tracks) if not track.is_drum]
    if not pitched:
        raise UserError("only drums in it.")
    return pitched


def _roles(tracks: Sequence[Track], music: Sequence[int], chords: int | None) -> Roles:
    names = printed(tracks)
    return Roles(
        music=tuple(tracks[place] for place in music),
        names=tuple(names[place] for place in music),
        chords=None if chords is None else tracks[chords],
        chords_name=None if chords is None else names[chords],
    )


def _is_none(wanted: str | None) -> bool:
    return wanted is not None and wanted.strip().casefold() == NO_TRACK


def _is_chords(track: Track) -> bool:
    return bool(_CHORD_WORDS & set(_WORD.findall(track.name.casefold())))


def _chords_place(tracks: Sequence[Track], pitched: Sequence[int], wanted: str | None) -> int | None:
    if wanted is None:
        named = [at for at in pitched if _is_chords(tracks[at])]
        return named[0] if named and len(pitched) > 1 else None
    if _is_none(wanted):
        return None
    names = printed(tracks)
    place = place_of(wanted, names)
    if place is None:
        told = ", ".join(f"{number} {name[:30]!r}" for number, name in enumerate(names, 1))
        raise UserError(f"no track {shown(wanted)!r} for the chords; its tracks are {told[:400]}.")
    if place not in pitched:
        raise UserError(f"track {shown(wanted)!r} is drums, which play no chords; name another one.")
    if len(pitched) == 1:
        raise UserError(f"track {shown(wanted)!r} is its only one with pitches; nothing would be left to score.")
    return place
