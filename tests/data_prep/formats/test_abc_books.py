"""Real books of tunes beside music21's own parser, and damaged."""

import random
import re
from contextlib import suppress
from fractions import Fraction
from hashlib import sha1

import pytest

from data_prep.errors import UserError
from data_prep.formats.abc import Tune, read_tunes
from data_prep.sources.builtin import corpus_folder

FOLDERS = ("airdsAirs", "miscFolk", "oneills1850", "ryansMammoth")

# What music21 10.5 is known to misread; the tunes with it are left out of the comparison.
MISREAD = (
    r"[<>]-|-[<>]",  # broken rhythm next to a tie: not applied
    r"[^|:\s]\s*\[[12]",  # the number of an ending in mid-bar: taken for a bar line
    r"(?m)^V:|\[V:",  # further voices: read on as if they were the first
    r"\[[KLM]:",  # fields in brackets: passed over
    r"x[^|]*[A-Ga-g]|[A-Z]x|Z",  # rests that are not seen, and whole bars of rest: passed over
    r"//",  # C3// : taken for C3/2
    r"[<>][^ |]?[A-Ga-g][,']*[<>]",  # a note between two broken rhythms: only the first applied
    r"=$|=\d",  # left over from mail: taken for a natural
    r"[\^_=][A-Ga-g][^|\]]*\].*\[",  # accidentals in chords: forgotten in the rest of the bar
    r"(?m)\[[^]|]*$",  # chords broken off by the end of the line: read on in the next
    r"\[\"|\^\d",  # a bracket before text, an accidental before a number: what follows is lost
)


def real_tunes(one_in: int) -> dict[str, str]:
    """One of so many tunes of every book, by the hash of its name: its text up to the empty line that ends it.

    Without the lines of the header that are no fields: music21 takes them for music.
    """
    try:
        root = corpus_folder(FOLDERS)
    except UserError as error:
        pytest.skip(str(error))
    tunes: dict[str, str] = {}
    for path in sorted(path for folder in FOLDERS for path in (root / folder).glob("*.abc")):
        for text in re.split(r"(?m)^(?=X:)", path.read_text("utf-8"))[1:]:
            name = f"{path.parent.name}/{path.name} {text.splitlines()[0]}"
            if int(sha1(name.encode()).hexdigest(), 16) % one_in == 0:
                header, key, body = re.split(r"\n\s*\n", text)[0].partition("\nK:")
                tunes[name] = re.sub(r"(?m)^(?![A-Za-z]:).*\n", "", header) + key + body + "\n"
    return tunes


def without_signs(text: str) -> str:
    """The tune without what sounds no note: music21 loses notes and bar lines next to some of it."""
    head, key, body = re.split(r"(?m)^(K:.*\n)", text, maxsplit=1)
    sign = re.compile(r'"[^"]*"|![^!\s]*!|\{[^}]*\}|%.*|\((?!\d)|\)|[HMQSTUkuvy~.`\\]')
    lines = [line if re.match("[A-Z]:", line) else sign.sub("", line) + " " for line in body.splitlines()]
    return head + key + "\n".join(lines).replace("::", " :: ").replace("[|]", "|") + "\n"


def measures_by_music21(text: str) -> list[list[tuple[Fraction, Fraction, int]]]:
    """Start, length in quarter notes and pitch of all notes, measure by measure, ties not joined."""
    abc_format = pytest.importorskip("music21.abcFormat")
    from music21.pitch import Pitch

    handler = abc_format.ABCHandler(abcVersion=(2, 1, 0))
    handler.process(text)
    measures: list[list[tuple[Fraction, Fraction, int]]] = [[]]
    now, filled = Fraction(0), False
    for token in handler.tokens:
        if isinstance(token, abc_format.ABCBar):
            if filled:
                measures.append([])
            now, filled = Fraction(0), False
        elif isinstance(token, abc_format.ABCNote):  # chords among them
            notes = getattr(token, "subTokens", [token])
            length = Fraction(token.quarterLength).limit_denominator(10_000)
            if token.activeTuplet is not None:
                length *= Fraction(token.activeTuplet.numberNotesNormal, token.activeTuplet.numberNotesActual)
            pitches = {Pitch(note.pitchName).midi for note in notes if getattr(note, "pitchName", None)}
            measures[-1] += [(now, length, pitch) for pitch in sorted(pitches)]
            now, filled = now + length, True
    return measures if filled else measures[:-1]


def measures_by_us(text: str) -> list[list[tuple[Fraction, Fraction, int]]]:
    [tune] = read_tunes(text.replace("-", "").encode())
    assert isinstance(tune, Tune)
    score = tune.score
    quarter, notes = Fraction(1, score.resolution), score.parts[0].notes
    return [
        [
            ((start - measure.start) * quarter, (end - start) * quarter, pitch)
            for start, end, pitch in notes
            if measure.start <= start < measure.start + measure.length
        ]
        for measure in score.measures
    ]


def test_real_tunes_are_read_as_music21_reads_them() -> None:
    pytest.importorskip("music21.abcFormat")
    compared = dict.fromkeys(FOLDERS, 0)
    for name, text in real_tunes(one_in=6).items():
        body = text.partition("\nK:")[2]
        if "\nK:Bn" in text or any(re.search(misread, body) for misread in MISREAD):
            continue
        assert measures_by_us(text) == measures_by_music21(without_signs(text)), name
        compared[name.partition("/")[0]] += 1
    assert sum(compared.values()) > 400
    assert min(compared.values()) >= 5


def test_damaged_real_tunes_are_refused_or_read() -> None:
    dice = random.Random(3)
    for text in real_tunes(one_in=60).values():
        for _ in range(12):
            data = bytearray(text.encode())
            for _ in range(dice.randint(1, 8)):
                place = dice.randrange(len(data))
                data[place : place + dice.randint(0, 4)] = bytes(dice.randbytes(dice.randint(0, 3)))
            with suppress(UserError):
                list(read_tunes(bytes(data)))
