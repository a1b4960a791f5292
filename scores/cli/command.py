"""The command line of `python -m scores`: MIDI files to score, or `compare` and two sets of music."""

import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from data_prep.console import Parser
from data_prep.errors import UserError
from data_prep.folder import shown
from scores.cli.named import is_there

COMPARE: Final = "compare"

EXAMPLES: Final = """\
examples:
  python -m scores song.mid
  python -m scores results/run/trials/0008/samples/*.mid
  python -m scores song.mid --chords-track Piano --key "F# minor"
  python -m scores compare my_samples builtin
  python -m scores compare my_samples corpora/mine --json

All tracks but the drums and the chords are scored, in bars of four quarter notes. Without chords, harmony is not.
Of more than five files the table has mean, sd, least and most; --json has the scores of each.
`compare` has a --help of its own. docs/scores.md says what every score means.
"""

COMPARE_EXAMPLES: Final = """\
examples:
  python -m scores compare my_samples builtin
  python -m scores compare my_samples corpora/mine --json
  python -m scores compare new.mid my_songs --chords-track 2

GENERATED and REFERENCE are each a MIDI file, a folder of MIDI files (at any depth), or what --data of a search may be:
builtin, SOURCE:PATH or a folder with a corpus. MIDI files are cut into phrases of 8 bars of four quarter notes; which
track is the melody and which one has the chords is told by their names and notes, and where it cannot be told all
tracks are the melody. Of a corpus, REFERENCE is the songs that no system is trained on, and copies are looked for in
the others; GENERATED is all songs. At most 1,024 phrases of each are compared, spread evenly.

In the JSON, base_line is what as many phrases of the reference score: the rates that dup_rate and near_copy_rate may
reach, and the recall and coverage that recall_ratio and coverage_ratio are divided by.
"""

_KEY: Final = re.compile(r"\s*([a-g])([#♯b♭]?)\s*(major|maj|minor|min|m|)\s*", re.IGNORECASE | re.ASCII)
_TONICS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_ACCIDENTALS: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}
_CHORDS_HELP: Final = "name or number of the track that gives the chords, none for no such track"


def parser() -> ArgumentParser:
    """The command line that scores files."""
    whole = _parser(
        "python -m scores",
        "%(prog)s [options] FILE.mid ...\n       %(prog)s compare [options] GENERATED REFERENCE",
        "Score MIDI files, or compare two sets of music.",
        EXAMPLES,
    )
    whole.add_argument("files", type=Path, nargs="+", metavar="FILE.mid", help="MIDI file to score")
    whole.add_argument("--chords-track", metavar="TRACK", help=f"{_CHORDS_HELP} (default: one with chord in its name)")
    whole.add_argument("--key", metavar="KEY", help="key of the music, like 'C major' or F#m (default: estimated)")
    whole.add_argument("--json", action="store_true", help="print JSON: a list with an object for each file")
    return whole


def compare_parser() -> ArgumentParser:
    """The command line that compares two sets of music."""
    whole = _parser(
        f"python -m scores {COMPARE}",
        "%(prog)s [options] GENERATED REFERENCE",
        "Say how far generated music is from a reference, and in what.",
        COMPARE_EXAMPLES,
    )
    whole.add_argument("generated", metavar="GENERATED", help="the music to judge")
    whole.add_argument("reference", metavar="REFERENCE", help="the music to judge it by")
    told = "so that all tracks are the melody (default: told by names and notes; also in files without that track)"
    whole.add_argument("--chords-track", metavar="TRACK", help=f"of MIDI files: {_CHORDS_HELP}, {told}")
    whole.add_argument("--json", action="store_true", help="print a JSON object")
    return whole


def _parser(prog: str, usage: str, description: str, epilog: str) -> ArgumentParser:
    return Parser(
        prog=prog,
        usage=usage,
        description=description,
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def check_command(words: Sequence[str]) -> None:
    """UserError where the first of the files to score is `compare`, or nearly so, and no file."""
    if get_close_matches(words[0], [COMPARE]) and not is_there(words[0]):
        raise UserError(
            f"{shown(words[0])!r}: there is no such file; did you mean: "
            f"python -m scores {COMPARE} GENERATED REFERENCE [options]?"
        )


def parse_key(text: str | None) -> int | None:
    """Class of the tonic triad (0-11 major, 12-23 minor) of a key such as `C major`, `Bb` or `F#m`; None for None.

    Capitals make no difference, but that M alone is major.
    """
    if text is None:
        return None
    found = _KEY.fullmatch(text)
    if not found:
        raise UserError(f"--key is {shown(text)!r}; write it like 'C major', 'F# minor', Bb or Gm.")
    tonic, accidental, mode = found.groups()
    minor = mode == "m" or mode.lower() in ("minor", "min")
    return (_TONICS[tonic.lower()] + _ACCIDENTALS[accidental.lower()]) % 12 + 12 * minor
