"""`python -m scores`: score MIDI files, or compare two sets of music, from the command line."""

import json
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final, NamedTuple

from data_prep.console import mistake, now_and_then, run
from data_prep.errors import UserError
from scores.cli import command
from scores.cli.compare import Comparison, compare
from scores.cli.music_set import load_set
from scores.cli.remarks import Remark, counted, of_many
from scores.cli.report import comparison_text
from scores.cli.song import UNITS, Song, read_song, score_song
from scores.cli.table import column_titles, key_name, score_table, summary_table

_MOST_SIDE_BY_SIDE: Final = 5
"""Files with a column each."""


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 done, 2 a mistake named in one line, 130 interrupted."""
    return run(lambda: _work(sys.argv[1:] if arguments is None else arguments))


def _work(arguments: list[str]) -> int:
    if arguments[:1] == [command.COMPARE]:
        return _compare(command.compare_parser().parse_args(arguments[1:]))
    return _score(command.parser().parse_args(arguments))


class _Scored(NamedTuple):
    """A song without the loaded music, so that many files take little memory."""

    about: dict[str, Any]
    remarks: tuple[Remark, ...]
    scores: dict[str, float]


def _score(options: Namespace) -> int:
    """Every file is scored that can be; 2 if one cannot."""
    command.check_command([str(path) for path in options.files])
    key, code = command.parse_key(options.key), 0
    scored = []
    for path in options.files:
        try:
            song = read_song(path, options.chords_track)
        except UserError as error:
            code = mistake(error)
            continue
        scored.append(_Scored(_about(song, key), song.remarks, score_song(song, key)))
    if options.json:
        _print_json([{**song.about, "scores": song.scores} for song in scored])
    elif len(scored) > _MOST_SIDE_BY_SIDE:
        print(_told_of_many(scored), end="\n\n")
        print(summary_table([song.scores for song in scored], UNITS))
    elif scored:
        titles = column_titles([song.about["file"] for song in scored])
        print("\n".join(_told(song.about) for song in scored), end="\n\n")
        print(score_table(titles, [song.scores for song in scored], UNITS, _width()))
    return code


def _about(song: Song, key: int | None) -> dict[str, Any]:
    """What was scored, as plain values."""
    return {
        "file": song.name,
        "notes": len(song.notes),
        "bars": song.num_bars,
        "tracks": list(song.tracks),
        "chords_track": song.chords_track,
        "key": key_name(song.key if key is None else key),
        "key_estimated": key is None,
        "remarks": [remark.told for remark in song.remarks],
    }


def _told(about: dict[str, Any]) -> str:
    key = f"{about['key']}{' (estimated)' if about['key_estimated'] else ''}"
    tracks = ", ".join(f"'{name}'" for name in about["tracks"][:8]) + (", ..." if len(about["tracks"]) > 8 else "")
    chords = "no track, so harmony is not scored; --chords-track names one"
    if about["chords_track"] is not None:
        chords = f"'{about['chords_track']}'"
    lines = [
        f"{about['file']}: {counted(about['notes'], 'note')} in {counted(about['bars'], 'bar')}, {key}",
        f"  scored  {tracks}",
        f"  chords  {chords}",
        *(f"  note    {remark}" for remark in about["remarks"]),
    ]
    return "\n".join(lines)


def _told_of_many(scored: Sequence[_Scored]) -> str:
    notes, bars = (sum(song.about[name] for song in scored) for name in ("notes", "bars"))
    with_chords = sum(song.about["chords_track"] is not None for song in scored)
    files = counted(len(scored), "file")
    lines = [
        f"{files}: {counted(notes, 'note')} in {counted(bars, 'bar')}; --json tells the scores of each",
        f"  chords  of {with_chords:,} of the {files}; without them harmony is not scored",
        *(f"  note    {remark}" for remark in of_many(remark for song in scored for remark in song.remarks)),
    ]
    return "\n".join(lines)


def _width() -> int:
    return shutil.get_terminal_size().columns


def _compare(options: Namespace) -> int:
    track = options.chords_track
    reference = load_set(options.reference, held_out=True, chords_track=track, progress=now_and_then)
    generated = load_set(options.generated, chords_track=track, progress=now_and_then)
    found = compare(generated, reference)
    if options.json:
        _print_json(_comparison(found))
    else:
        print(comparison_text(found, _width()))
    return 0


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        "generated": {"name": found.generated.name, "phrases": len(found.generated)},
        "reference": {"name": found.reference.name, "phrases": len(found.reference)},
        "verdict": found.verdict,
        "report": dict(found.report),
        "base_line": asdict(found.base),
        "differences": [row._asdict() for row in found.differences],
        "faults": [{"words": fault.words, **fault.shown_by._asdict()} for fault in found.faults],
        "remarks": list(found.remarks),
    }


def _print_json(value: Any) -> None:
    print(json.dumps(value, indent=2, allow_nan=False))


if __name__ == "__main__":
    sys.exit(main())
