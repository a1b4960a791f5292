"""Two sets of music against each other: how far the one is from the other, and in what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from data_prep.chords import NO_CHORD
from data_prep.errors import UserError
from scores.cli.difference import MOST, Difference
from scores.cli.faults import Fault, find_faults
from scores.cli.music_set import MusicSet
from scores.cli.thinned import NUM_BARS
from scores.cli.verdict import verdict
from scores.energy import Standard
from scores.objective import BaseLine, Reference
from scores.phrases import spread
from scores.registry import score_phrases
from scores.undefined import defined_mean

_STEADY: Final = 64
_OF_ONE_KEY: Final = "pitch_in_scale_rate"
"""Of bars it is that of C major, which says nothing of music in other keys."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """What there is to say of generated music beside a reference.

    Attributes:
        generated: the set that is judged.
        reference: the set that it is judged by.
        report: everything that `Reference.evaluate` reports, by name; without `med_harmony` where there are no chords.
        base: what the reference itself scores in the guards.
        verdict: the objective, what it consists of and what its distance means.
        differences: every score of bars and phrases that needs no key, the largest difference first.
        faults: what stands out, in words, the worst first.
        remarks: what a reader should know.
    """

    generated: MusicSet
    reference: MusicSet
    report: Mapping[str, float]
    base: BaseLine
    verdict: str
    differences: tuple[Difference, ...]
    faults: tuple[Fault, ...]
    remarks: tuple[str, ...]


def compare(generated: MusicSet, reference: MusicSet) -> Comparison:
    """How far the generated music is from the reference; UserError where either has fewer than two phrases.

    The guards' base line is the reference itself: as many phrases of it as there are generated ones.
    """
    for music in (generated, reference):
        if len(music) < 2:
            raise UserError(f"{music.name}: too few phrases of {NUM_BARS} bars ({len(music)}); comparing takes 2.")
    remarks = _remarks(generated, reference)
    harmony = generated.has_chords and reference.has_chords
    if not harmony:
        generated, reference = _without_chords(generated), _without_chords(reference)
    song = np.arange(len(reference)) if reference.song is None else reference.song
    fitted = Reference.fit(reference.roll, reference.chord, song=song, training=reference.training)
    some = spread(len(reference), len(generated))
    base = fitted.base_line(reference.roll[some], reference.chord[some], song[some])
    report = fitted.evaluate(generated.roll, generated.chord, base)
    if not harmony:
        del report["med_harmony"]  # 0, which would read as no difference
    differences = _differences(generated, reference)
    return Comparison(
        generated=generated,
        reference=reference,
        report=report,
        base=base,
        verdict=verdict(report, base, steady=_steady(generated, reference)),
        differences=differences,
        faults=tuple(find_faults(differences, report, base)),
        remarks=remarks,
    )


def _remarks(generated: MusicSet, reference: MusicSet) -> tuple[str, ...]:
    remarks = list(dict.fromkeys([*generated.remarks, *reference.remarks]))
    bare = [music.name for music in (generated, reference) if not music.has_chords]
    if bare:
        remarks.append(f"no chords in {' and '.join(dict.fromkeys(bare))}: harmony is not compared")
    remarks += _of_rests(generated, reference) + _of_rests(reference, generated)
    remarks += _of_the_same(generated, reference)
    if reference.training is None:
        remarks.append("the reference has no songs for training: copies of them are not looked for")
    if not _steady(generated, reference):
        remarks.append(f"fewer than {_STEADY} phrases on a side: only large differences mean something")
    return tuple(remarks)


def _of_rests(filled: MusicSet, other: MusicSet) -> list[str]:
    """Whether rests were filled on this side, and not on the other, which has some."""
    if not filled.rests_filled or other.rests_filled or other.roll.any(axis=-1).all():
        return []
    return [
        f"rests of {filled.name} were filled with the note before them, those of {other.name} were not, so rests and "
        "note lengths differ; a corpus made with --rests keep has them"
    ]


def _of_the_same(generated: MusicSet, reference: MusicSet) -> list[str]:
    """What of the generated music the reference has as it is."""
    if generated.place is not None and generated.place == reference.place:
        return ["both sides are the same data: copies are what it consists of"]
    known = set(_packed(reference))
    count = sum(phrase in known for phrase in _packed(generated))
    if count == 0:
        return []
    stand = "stands in the reference as it is" if count == 1 else "stand in the reference as they are"
    return [f"{count:,} of the generated phrases {stand}"]


def _packed(music: MusicSet) -> list[bytes]:
    return [np.packbits(roll).tobytes() for roll in music.roll]


def _steady(generated: MusicSet, reference: MusicSet) -> bool:
    """Whether there are so many phrases that chance makes little difference."""
    return min(len(generated), len(reference)) >= _STEADY


def _without_chords(music: MusicSet) -> MusicSet:
    return replace(music, chord=np.full_like(music.chord, NO_CHORD))


def _differences(generated: MusicSet, reference: MusicSet) -> tuple[Difference, ...]:
    """Every score, the largest difference first, then those that one of the sets does not define."""
    of_generated = score_phrases(generated.roll, generated.chord)
    of_reference = score_phrases(reference.roll, reference.chord)
    standard = Standard.of(np.column_stack(list(of_reference.values())))
    rows = []
    for column, name in enumerate(of_reference):
        if name == _OF_ONE_KEY:
            continue
        made, real = (float(defined_mean(values[name], 0)) for values in (of_generated, of_reference))
        off = float(np.clip((made - real) / standard.scale[column], -MOST, MOST))
        rows.append(Difference(name, _defined(made), _defined(real), _defined(off)))
    defined = [row for row in rows if row.generated is not None or row.reference is not None]
    return tuple(sorted(defined, key=lambda row: (row.difference is None, -abs(row.difference or 0.0))))


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
