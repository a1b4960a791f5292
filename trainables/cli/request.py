"""What `generate` asks of a system: first bars and chords, from the corpus, from a song or from the user."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import SILENCE, fill_rests, melody_line
from data_prep.chords import NO_CHORD
from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.folder import root_of, shown
from data_prep.windows import WindowCorpus
from reporting.midi import tempo_of
from scores.cli.named import check_there
from scores.cli.song import song_inside
from scores.cli.tracks import melody_and_chords
from scores.material import NUM_BARS, material
from scores.phrases import spread
from trainables.prompts import BEATS, chords, first_bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """M phrases of B bars to be written.

    Attributes:
        first_bar: pitches int8 (M, 16), or velocities uint8 (M, 16, 128).
        chord: int8 (M, B, 4), chord classes of all beats.
        real: what really followed, (M, B, 16) or (M, B, 16, 128); None where nothing did.
        tempo: beats a minute.
    """

    first_bar: NDArray[Any]
    chord: NDArray[np.int8]
    real: NDArray[Any] | None = None
    tempo: float = 120.0


def request_of(
    music: Corpus | WindowCorpus,
    *,
    bars: int,
    count: int,
    progression: str | None = None,
    song: int | None = None,
    midi: Path | None = None,
) -> Request:
    """What the options ask for; without any, phrases of the songs that are kept for prompts.

    Args:
        music: what the system was trained on.
        bars: length of each phrase.
        count: number of phrases.
        progression: chords (`trainables.prompts.chords`), repeated as often as needed.
        song: number of the song, from 1, among those that are kept for prompts.
        midi: file that the first bar is read from, and the chords too unless they are given.

    Raises:
        UserError: music that is not there or cannot be read, or what piano music does not have.
    """
    if isinstance(music, WindowCorpus):
        if progression is not None or midi is not None:
            raise UserError("--chords and --midi are of melodies, but this system was trained on piano music.")
        return _of_windows(music, song, bars, count)
    if midi is not None and song is not None:
        raise UserError("--song and --midi both give the first bar: leave out one of them.")
    if midi is not None:
        return _of_file(music, midi, progression, bars, count)
    if progression is not None:
        chord = chords(progression, bars)
        return Request(first_bar=first_bars(music, chord, count), chord=_each(chord, count))
    return _of_songs(music, song, bars, count)


def _of_songs(corpus: Corpus, song: int | None, bars: int, count: int) -> Request:
    """Real phrases; where no song is so long, of the most bars that there are, their chords repeated."""
    rows = _longest(corpus, _songs(corpus, song), bars)
    rows = np.resize(rows[spread(len(rows), count)] if song is None else rows[:1], (count, rows.shape[1]))
    chord = corpus.chord[rows][:, np.arange(bars) % rows.shape[1]]
    real = corpus.melody[rows] if rows.shape[1] == bars else None
    return Request(first_bar=corpus.melody[rows[:, 0]], chord=chord, real=real)


def _longest(corpus: Corpus, songs: NDArray[np.int32], bars: int) -> NDArray[np.int32]:
    """Rows (P, L) of all runs of at most `bars` bars of these songs, as long as there are any."""
    runs = (corpus.phrases(Split.PROMPTS, length) for length in range(bars, 0, -1))
    ours = (rows[np.isin(corpus.song[rows[:, 0]], songs)] for rows in runs)
    return next(rows for rows in ours if len(rows))


def _of_windows(corpus: WindowCorpus, song: int | None, bars: int, count: int) -> Request:
    rows = np.flatnonzero(np.isin(corpus.song, _songs(corpus, song)))
    rows = np.resize(rows[spread(len(rows), count)] if song is None else rows[:1], count)
    music = corpus.rasterise(rows).reshape(count, NUM_BARS, -1, 128)
    return Request(
        first_bar=music[:, 0],
        chord=np.full((count, bars, BEATS), NO_CHORD, np.int8),
        real=music[:, :bars] if bars <= NUM_BARS else None,
        tempo=tempo_of(corpus.sampling_frequency),
    )


def _songs(music: Corpus | WindowCorpus, number: int | None) -> NDArray[np.int32]:
    """The songs that prompts are taken from, or the one of that number among them."""
    split = material(music).listening
    songs = np.unique(music.song[music.rows(split)])
    if not len(songs):
        raise UserError("The corpus keeps no songs for prompts: give --chords and --midi.")
    if number is None:
        return songs
    if not 1 <= number <= len(songs):
        raise UserError(f"--song is {number}, but must be from 1 to {len(songs)}, the songs kept for prompts.")
    return songs[number - 1 : number]


def _of_file(corpus: Corpus, path: Path, progression: str | None, bars: int, count: int) -> Request:
    """The first whole bar of a MIDI file, and the chords from there on."""
    check_there(str(path), "file")
    if path.expanduser().is_dir():
        raise UserError(f"{shown(str(path))}: a folder; name a MIDI file in it.")
    try:
        song = song_inside(root_of(path), path.expanduser().resolve().name, str(path), None, melody_and_chords)
    except UserError as error:
        raise UserError(f"{shown(str(path))}: {error}") from error
    melody = melody_line(song.roll)
    start = _first_whole_bar(melody)
    first = melody[start : start + 1]
    if _has_no_rests(corpus.melody):
        first, _ = fill_rests(first, np.zeros(1, np.uint16))
    if progression is not None:
        chord = chords(progression, bars)
    elif (song.chord != NO_CHORD).any():
        chord = np.resize(song.chord[start:], (bars, BEATS))
    else:
        raise UserError(f"{shown(str(path))}: no track of it has chords; give them with --chords.")
    return Request(first_bar=np.repeat(first, count, axis=0), chord=_each(chord, count))


def _first_whole_bar(melody: NDArray[np.int8]) -> int:
    """Number of the first bar of (N, 16) with notes; of the next, where they are a pick-up: none in its first half."""
    sounding = melody != SILENCE
    first = int(sounding.any(axis=1).argmax())
    pick_up = not sounding[first, : sounding.shape[1] // 2].any()
    return first + 1 if pick_up and sounding[first + 1 : first + 2].any() else first


def _has_no_rests(melody: NDArray[np.int8]) -> bool:
    return not bool((melody == SILENCE).any())


def _each(chord: NDArray[np.int8], count: int) -> NDArray[np.int8]:
    return np.repeat(chord[None], count, axis=0)
