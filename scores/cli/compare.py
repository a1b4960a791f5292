"""Two sets of music against each other: how far the one is from the other, and in what."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from data_prep.chords import NO_CHORD
from data_prep.errors import UserError
from scores.cli.faults import Difference, Fault, find_faults
from scores.cli.music_set import NUM_BARS, MusicSet
from scores.energy import Standard
from scores.objective import BaseLine, Reference
from scores.phrases import spread
from scores.registry import score_phrases
from scores.undefined import defined_mean

MOST_DIFFERENT: Final = 6.0
"""Differences are told up to this many standard deviations, as the objective takes them."""

_STEADY: Final = 64


@dataclass(frozen=True, eq=False, kw_only=True)
class Comparison:
    """What there is to say of generated music beside a reference.

    Attributes:
        generated: the set that is judged.
        reference: the set that it is judged by.
        report: everything that `Reference.evaluate` reports, by name; without `med_harmony` where there are no chords.
        base: what the reference itself scores in the guards.
        differences: every score of bars and phrases, the largest difference first.
        faults: what stands out, in words, the worst first.
        remarks: what a reader should know.
    """

    generated: MusicSet
    reference: MusicSet
    report: Mapping[str, float]
    base: BaseLine
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
    fitted = Reference.fit(reference.roll, reference.chord, training=reference.training)
    some = spread(len(reference), len(generated))
    base = fitted.base_line(reference.roll[some], reference.chord[some])
    report = fitted.evaluate(generated.roll, generated.chord, base)
    if not harmony:
        del report["med_harmony"]  # 0, which would read as no difference
    differences = _differences(generated, reference)
    return Comparison(
        generated=generated,
        reference=reference,
        report=report,
        base=base,
        differences=differences,
        faults=tuple(find_faults(differences, report, base)),
        remarks=remarks,
    )


def _remarks(generated: MusicSet, reference: MusicSet) -> tuple[str, ...]:
    remarks = list(dict.fromkeys([*generated.remarks, *reference.remarks]))
    bare = [music.name for music in (generated, reference) if not music.has_chords]
    if bare:
        remarks.append(f"no chords in {' and '.join(bare)}: harmony is not compared")
    if reference.training is None:
        remarks.append("the reference has no songs for training: copies of them are not looked for")
    if min(len(generated), len(reference)) < _STEADY:
        remarks.append(f"fewer than {_STEADY} phrases on a side: only large differences mean something")
    return tuple(remarks)


def _without_chords(music: MusicSet) -> MusicSet:
    return replace(music, chord=np.full_like(music.chord, NO_CHORD))


def _differences(generated: MusicSet, reference: MusicSet) -> tuple[Difference, ...]:
    """Every score, the largest difference first, then those that one of the sets does not define."""
    of_generated = score_phrases(generated.roll, generated.chord)
    of_reference = score_phrases(reference.roll, reference.chord)
    standard = Standard.of(np.column_stack(list(of_reference.values())))
    rows = []
    for column, name in enumerate(of_reference):
        made, real = (float(defined_mean(values[name], 0)) for values in (of_generated, of_reference))
        off = float(np.clip((made - real) / standard.scale[column], -MOST_DIFFERENT, MOST_DIFFERENT))
        rows.append(Difference(name, _defined(made), _defined(real), _defined(off)))
    defined = [row for row in rows if row.generated is not None or row.reference is not None]
    return tuple(sorted(defined, key=lambda row: (row.difference is None, -abs(row.difference or 0.0))))


def _defined(value: float) -> float | None:
    return value if np.isfinite(value) else None
