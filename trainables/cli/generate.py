"""`python -m trainables generate`: new music by a trained system, over real chords or the user's."""

import re
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from data_prep.corpus import Corpus
from data_prep.folder import shown
from data_prep.harmony import first_chords
from reporting.midi import is_piano
from reporting.phrase import Phrase
from reporting.progress import shown_on
from trainables.checkpoint import restored
from trainables.checks import require
from trainables.cli import display
from trainables.cli.request import Request, request_of
from trainables.cli.runs import CHECKPOINT, find_trained, read_music, run_folder
from trainables.cli.training import writing
from trainables.systems import described

MAX_BARS: Final = 128
MAX_COUNT: Final = 100

_WRITTEN: Final = re.compile(r"phrase-(\d{1,6})\.mid")


def generate(options: Namespace) -> int:
    """Write the phrases that the options ask for, as MIDI, picture and sound.

    Raises:
        UserError: a run or a trial that is none, music that has changed, or options that cannot be.
    """
    require(1 <= options.bars <= MAX_BARS, "--bars", options.bars, f"from 1 to {MAX_BARS}")
    require(1 <= options.count <= MAX_COUNT, "--count", options.count, f"from 1 to {MAX_COUNT}")
    require(0 <= options.seed < 2**32, "--seed", options.seed, f"from 0 to {2**32 - 1}")
    console = display.console()
    run = run_folder(options.run)
    trained = find_trained(run, options.trial)
    network = described(trained.system, trained.settings).network
    with shown_on(console, "Reading the music, this first time") as progress:
        music = read_music(run, progress, trained.options)
    request = request_of(
        music,
        bars=options.bars,
        count=options.count,
        progression=options.chords,
        song=options.song,
        midi=options.midi,
    )
    system = restored(trained.trial / CHECKPOINT, trained.system, trained.settings, music, horizon=trained.horizon)
    phrases = system.generate(request.first_bar, request.chord, seed=options.seed)
    out = trained.trial / "generated" if options.out is None else options.out.expanduser()
    with writing(out):
        out.mkdir(parents=True, exist_ok=True)
        first = _next_number(out)
        for number, phrase in enumerate(phrases):
            _phrase(phrase, request, number, by_beat=network.by_beat).write(out / f"phrase-{first + number}")
    console.print(f"{trained.system} of {shown(str(trained.trial))}: {_counted(len(phrases))} of {options.bars} bars")
    if isinstance(music, Corpus) and not network.hears_chords:
        console.print(f"  chords       are played beside the music, but {trained.system} does not hear them")
    elif isinstance(music, Corpus) and not network.by_beat and (request.chord != request.chord[..., :1]).any():
        console.print(f"  chords       {trained.system} hears one a bar: the first of each is played")
    files = f"phrase-{first}" + (f" to phrase-{first + len(phrases) - 1}" if len(phrases) > 1 else "")
    console.print(f"  listen       {shown(str(out))}: {files}, each .mid, .wav and .png")
    return 0


def _counted(count: int) -> str:
    return "1 phrase" if count == 1 else f"{count} phrases"


def _next_number(out: Path) -> int:
    """After those of the phrases that are there, which are kept."""
    return 1 + max((int(found[1]) for path in out.iterdir() if (found := _WRITTEN.fullmatch(path.name))), default=0)


def _phrase(music: NDArray[Any], request: Request, number: int, *, by_beat: bool) -> Phrase:
    """A phrase over the chords that its system was given."""
    chord = None
    if not is_piano(music):
        chord = request.chord[number] if by_beat else first_chords(request.chord[number])
    real = None if request.real is None else request.real[number]
    return Phrase(music=music, real=real, chord=chord, tempo=request.tempo)
