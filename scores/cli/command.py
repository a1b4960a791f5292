"""The command line of `python -m scores`: MIDI files to score, or `compare` and two sets of music."""

import re
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path
from typing import Final, NoReturn

from data_prep.errors import UserError
from data_prep.folder import shown

COMPARE: Final = "compare"

EXAMPLES: Final = """\
examples:
  python -m scores song.mid
  python -m scores results/run/best/*.mid --json
  python -m scores song.mid --chords-track Piano --key "F# minor"
  python -m scores compare my_samples builtin
  python -m scores compare my_samples corpora/mine --json

All tracks but the drums and the chords are scored, in bars of four quarter notes. Without chords, harmony is not.
`compare` has a --help of its own. docs/scores.md says what every score means.
"""

COMPARE_EXAMPLES: Final = """\
examples:
  python -m scores compare my_samples builtin
  python -m scores compare my_samples corpora/mine --json
  python -m scores compare new.mid my_songs --chords-track 2

GENERATED and REFERENCE are each a MIDI file, a folder of MIDI files (at any depth), or what --data of a search may be:
builtin, SOURCE:PATH or a folder with a corpus. MIDI files are cut into phrases of 8 bars of four quarter notes. Of a
corpus, REFERENCE is the songs that no system is trained on, and copies are looked for in the others; GENERATED is all
songs. At most 1,024 phrases of each are compared, spread evenly.
"""

_KEY: Final = re.compile(r"\s*([a-g])(#?|b?)\s+(major|minor)\s*", re.IGNORECASE | re.ASCII)
_TONICS: Final = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
_CHORDS_HELP: Final = (
    "name or number of the track that gives the chords, none for no such track (default: one with chord in its name)"
)


class _Parser(ArgumentParser):
    """Errors in one line."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help.")


def parser() -> ArgumentParser:
    """The command line that scores files."""
    whole = _parser(
        "python -m scores",
        "%(prog)s [options] FILE.mid ...\n       %(prog)s compare [options] GENERATED REFERENCE",
        "Score MIDI files, or compare two sets of music.",
        EXAMPLES,
    )
    whole.add_argument("files", type=Path, nargs="+", metavar="FILE.mid", help="MIDI file to score")
    whole.add_argument("--chords-track", metavar="TRACK", help=_CHORDS_HELP)
    whole.add_argument("--key", metavar="KEY", help="key of the music, like 'C major' (default: estimated)")
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
    whole.add_argument("--chords-track", metavar="TRACK", help=f"of MIDI files: {_CHORDS_HELP}")
    whole.add_argument("--json", action="store_true", help="print a JSON object")
    return whole


def _parser(prog: str, usage: str, description: str, epilog: str) -> ArgumentParser:
    return _Parser(
        prog=prog,
        usage=usage,
        description=description,
        epilog=epilog,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def parse_key(text: str | None) -> int | None:
    """Class of the tonic triad (0-11 major, 12-23 minor) of a key such as `C major` or `Bb minor`; None for None."""
    if text is None:
        return None
    found = _KEY.fullmatch(text)
    if not found:
        raise UserError(f"--key is {shown(text)!r}; write it like 'C major', 'F# minor' or 'Bb major'.")
    tonic, accidental, mode = (part.lower() for part in found.groups())
    return (_TONICS[tonic] + {"": 0, "#": 1, "b": -1}[accidental]) % 12 + 12 * (mode == "minor")
