"""What is wrong with a set of phrases, in words: which scores are off, and what that sounds like."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from scores.cli.difference import Difference
from scores.cli.words import WORDS, contrary
from scores.objective import BaseLine, excess
from scores.registry import SCORES

MIN_DIFFERENCE: Final = 0.5
"""Standard deviations of the real phrases by which a score must be off to be named."""
MIN_PLAIN: Final = 1.0
"""The same for words without `slightly` before them."""
MIN_DISTANCE: Final = 0.02
"""Distance of the score's family that is needed as well: below it, chance explains the difference."""
MIN_SHARE: Final = 0.05
"""What a share must differ by besides: where all real phrases have the same, the least is many deviations."""
MOST: Final = 8
"""Faults named at most."""

_GUARDS: Final = {
    "near_copy_rate": "copied: much of it stands in the training songs",
    "dup_rate": "the same endings again and again, as after mode collapse",
}
SILENCE: Final = "silence: there is not a note in it"


class Fault(NamedTuple):
    """What stands out, in words, and the score that shows it most."""

    words: str
    shown_by: Difference

    @property
    def told(self) -> str:
        """The score with both values."""
        score, generated, reference, difference = self.shown_by
        off = "" if difference is None else f", {self.shown_by.told(1)}"
        return f"{score} {_value(generated)}, in the reference {_value(reference)}{off}"


def find_faults(differences: Sequence[Difference], report: Mapping[str, float], base: BaseLine) -> list[Fault]:
    """What stands out, each thing once, at most eight: copies first, then what is furthest from the reference.

    Of words that contradict each other, those of the larger difference are said.

    Args:
        differences: every score of bars and phrases.
        report: the guards and `med_<family>`, the distances of the families, of `Reference.evaluate`.
        base: what real music scores in the guards.
    """
    values = {each.score: each for each in differences}
    rests = values.get("rest_rate")
    if rests is not None and rests.generated == 1:
        return [Fault(SILENCE, rests)]
    found = {words: Fault(words, each) for words, each in _guard_faults(report, base)}
    for each in sorted(differences, key=lambda each: -abs(each.difference or 0)):
        words = _words(each, report)
        if words is not None and not contrary(words) & found.keys():
            found.setdefault(words, Fault(_measured(words, each), each))
    return list(found.values())[:MOST]


def _guard_faults(report: Mapping[str, float], base: BaseLine) -> Iterator[tuple[str, Difference]]:
    for name, words in _GUARDS.items():
        real: float = getattr(base, name)
        if excess(report.get(name, 0.0), real) > 0:
            yield words, Difference(name, report[name], real, None)


def _words(each: Difference, report: Mapping[str, float]) -> str | None:
    declared = WORDS.get(each.score)
    if declared is None or each.difference is None or abs(each.difference) <= MIN_DIFFERENCE:
        return None
    if SCORES[each.score].unit == "share" and abs((each.generated or 0) - (each.reference or 0)) < MIN_SHARE:
        return None
    if report.get(f"med_{declared.family}", 0.0) <= MIN_DISTANCE:
        return None
    return declared.too_much if each.difference > 0 else declared.too_little


def _measured(words: str, each: Difference) -> str:
    return words if abs(each.difference or 0) >= MIN_PLAIN else f"slightly: {words}"


def _value(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"
