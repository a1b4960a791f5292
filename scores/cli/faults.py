"""What is wrong with a set of phrases, in words: which scores are off, and what that sounds like.

The words follow the remarks of the paper (§6) on its own samples: discordant, unpleasantly rapid, lack of melody
notes, low-pitched and high-pitched notes, few notes repeated along the bars, the same bar over and over.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from scores.features import Family
from scores.objective import BaseLine, excess
from scores.registry import SCORES

MIN_DIFFERENCE: Final = 0.5
"""Standard deviations of the real phrases by which a score must be off to be named."""
MIN_DISTANCE: Final = 0.02
"""Distance of the score's family that is needed as well: below it, chance explains the difference."""
MIN_SHARE: Final = 0.05
"""What a share must differ by besides: where all real phrases have the same, the least is many deviations."""
MOST: Final = 8
"""Faults named at most."""


class Difference(NamedTuple):
    """A score of two sets of phrases: means over the phrases, None where no phrase defines it.

    `difference` is generated less reference, in standard deviations of the reference's phrases.
    """

    score: str
    generated: float | None
    reference: float | None
    difference: float | None


class Fault(NamedTuple):
    """What stands out, in words, and the score that shows it most."""

    words: str
    shown_by: Difference

    @property
    def told(self) -> str:
        """The score with both values."""
        score, generated, reference, difference = self.shown_by
        off = "" if difference is None else f", {difference:+.1f} sd"
        return f"{score} {_value(generated)}, in the reference {_value(reference)}{off}"


class _Words(NamedTuple):
    """What too much and too little of a score means; None where that is no fault."""

    family: Family
    too_much: str | None
    too_little: str | None


_RAPID: Final = "unpleasantly rapid: too many notes, too short"
_SPARSE: Final = "lack of melody notes: too few, too far apart, too much silence"
_RESTLESS: Final = "hardly a rest: the melody never breathes"
_SLOW: Final = "sluggish: the notes are too long"
_EMPTY: Final = "empty bars: the melody falls silent"
_REGISTER: Final = "low-pitched and high-pitched notes: too wide a range"
_NARROW: Final = "too narrow a range: it circles around one spot"
_ERRATIC: Final = "erratic: the pitches wander all over the place"
_FEW: Final = "few notes, repeated: monotonous"
_OFF_KEY: Final = "discordant: many notes belong to no one scale"
_BLAND: Final = "bland: hardly a note outside one scale"
_LEAPS: Final = "abrupt leaps from note to note"
_CREEPS: Final = "hardly moves: steps where real melodies leap"
_DISJOINT: Final = "bars that do not connect: leaps over the bar line"
_STIFF: Final = "stiff: nearly everything falls on the beat"
_SENSELESS: Final = "a rhythm that makes no sense: notes off the beat"
_PLAIN: Final = "a plain rhythm: no notes between the eighths"
_THICK: Final = "too many notes at once"
_THIN: Final = "thin: too few notes at once"
_SAME_RHYTHM: Final = "the same rhythm over and over"
_NO_RHYTHM: Final = "no rhythm that returns"
_SAME_BAR: Final = "the same bar over and over"
_NO_THEME: Final = "no theme: hardly anything returns"
_DISCORD: Final = "discordant: notes that do not fit the chord"
_ARPEGGIO: Final = "little but chord tones: hardly a passing note"

WORDS: Final[Mapping[str, _Words]] = MappingProxyType(
    {
        "note_count": _Words("rhythm", _RAPID, _SPARSE),
        "mean_duration": _Words("rhythm", _SLOW, _RAPID),
        "mean_ioi": _Words("rhythm", _SPARSE, _RAPID),
        "qualified_note_rate": _Words("rhythm", _SLOW, _RAPID),
        "empty_bar_rate": _Words("rhythm", _EMPTY, None),
        "inner_empty_rate": _Words("rhythm", "nothing between the first and the last bar", None),
        "rest_rate": _Words("rhythm", _SPARSE, _RESTLESS),
        "out_of_register_rate": _Words("pitch", "notes so low or so high that they are hardly heard", None),
        "pitch_range": _Words("pitch", _REGISTER, _NARROW),
        "phrase_range": _Words("pitch", _REGISTER, _NARROW),
        "mean_pitch": _Words("pitch", "pitched too high", "pitched too low"),
        "pitch_count": _Words("pitch", _ERRATIC, _FEW),
        "pitch_class_count": _Words("pitch", _ERRATIC, _FEW),
        "pitch_entropy": _Words("pitch", _ERRATIC, _FEW),
        "pitch_class_entropy": _Words("pitch", _ERRATIC, _FEW),
        "pitch_class_entropy_4": _Words("pitch", _ERRATIC, _FEW),
        "phrase_pce": _Words("pitch", _ERRATIC, _FEW),
        "scale_consistency": _Words("pitch", _BLAND, _OFF_KEY),
        "phrase_scale_consistency": _Words("pitch", _BLAND, _OFF_KEY),
        "polyphony": _Words("pitch", _THICK, _THIN),
        "polyphonic_rate": _Words("pitch", _THICK, _THIN),
        "mean_abs_interval": _Words("motion", _LEAPS, _CREEPS),
        "max_abs_interval": _Words("motion", _LEAPS, _CREEPS),
        "join_interval": _Words("motion", _DISJOINT, _CREEPS),
        "on_beat_rate": _Words("rhythm", _STIFF, _SENSELESS),
        "off_eighth_rate": _Words("rhythm", _SENSELESS, _PLAIN),
        "groove_similarity": _Words("rhythm", _SAME_RHYTHM, _NO_RHYTHM),
        "groove_similarity_prev": _Words("rhythm", _SAME_RHYTHM, _NO_RHYTHM),
        "step_agreement_prev": _Words("structure", _SAME_BAR, _NO_THEME),
        "step_agreement_lag1": _Words("structure", _SAME_BAR, _NO_THEME),
        "step_agreement_lag2": _Words("structure", _SAME_BAR, _NO_THEME),
        "step_agreement_lag4": _Words("structure", _SAME_BAR, _NO_THEME),
        "pc_similarity_prev": _Words("structure", _SAME_BAR, _NO_THEME),
        "copy_prev_rate": _Words("structure", _SAME_BAR, _NO_THEME),
        "copy_first_rate": _Words("structure", _SAME_BAR, _NO_THEME),
        "distinct_bar_ratio": _Words("structure", _NO_THEME, _SAME_BAR),
        "chord_tone_rate": _Words("harmony", _ARPEGGIO, _DISCORD),
        "ctnctr": _Words("harmony", _ARPEGGIO, _DISCORD),
        "pcs": _Words("harmony", _ARPEGGIO, _DISCORD),
        "mctd": _Words("harmony", _DISCORD, _ARPEGGIO),
    }
)
"""Score to its words."""

_GUARDS: Final = {
    "near_copy_rate": "copied: much of it stands in the training songs",
    "dup_rate": "the same endings again and again, as after mode collapse",
}
SILENCE: Final = "silence: there is not a note in it"


def find_faults(differences: Sequence[Difference], report: Mapping[str, float], base: BaseLine) -> list[Fault]:
    """What stands out, each thing once, at most eight: copies first, then what is furthest from the reference.

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
        if words is not None:
            found.setdefault(words, Fault(words, each))
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


def _value(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3g}"


_VERDICTS: Final = (
    (0.02, "hardly to be told from the reference; differences of about .02 are noise"),
    (0.05, "close to the reference, closer than a good Markov chain over the same chords (about .08)"),
    (0.14, "about as far as a good Markov chain over the same chords (about .08)"),
    (0.4, "about as far as real bars in random order (about .2 to .3)"),
    (0.6, "further than real bars in random order (about .3), nearer than random notes (about .75)"),
    (1.0, "about as far as random notes (about .75)"),
)
_AT_WORST: Final = "further than random notes (about .75)"
_TOLD_FROM: Final = 0.005


def verdict(report: Mapping[str, float]) -> str:
    """What the `objective` and the `realism` in a report mean, beside music whose value is known."""
    realism, copies = report["realism"], report["objective"] - report["realism"]
    words = next((words for limit, words in _VERDICTS if realism < limit), _AT_WORST)
    return words if copies < _TOLD_FROM else f"{words}; but {copies:.3f} of it is for copies"
