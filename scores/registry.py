"""Every score, once: what it is called, what its number means and the function that computes it.

A new score is a function in the file of its subject and one entry here; docs, reports and tests follow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2
from types import MappingProxyType
from typing import Final, Literal

from scores import harmony, motion, pitch, rhythm, structure
from scores.notes import Bars, BoolArray, IntArray
from scores.undefined import FloatArray

Level = Literal["bar", "phrase", "set"]
Target = Literal["as real", "up", "down"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One score; `function` gives a value per bar (N,), phrase (M,) or for the set (), NaN if undefined."""

    name: str
    level: Level
    unit: str
    low: float
    high: float
    target: Target
    edge_case: str
    source: str
    function: Callable[[Bars], FloatArray]


_ALL: Final = (
    Score(
        name="note_count", level="bar", unit="notes", low=0, high=1024, target="as real",
        edge_case="0 in an empty bar; at most 16 in one voice", source="Yang & Lerch 2018",
        function=rhythm.note_count,
    ),
    Score(
        name="mean_duration", level="bar", unit="steps", low=1, high=16, target="as real",
        edge_case="undefined without notes", source="Yang & Lerch 2018", function=rhythm.mean_duration,
    ),
    Score(
        name="pitch_class_entropy", level="bar", unit="bits", low=0, high=log2(12), target="as real",
        edge_case="undefined without notes", source="Wu & Yang 2020 (H1)", function=pitch.pitch_class_entropy,
    ),
    Score(
        name="scale_consistency", level="bar", unit="share", low=7 / 12, high=1, target="as real",
        edge_case="undefined without notes; 1 for a single note", source="Mogren 2016; muspy",
        function=pitch.scale_consistency,
    ),
    Score(
        name="mean_abs_interval", level="bar", unit="semitones", low=0, high=127, target="as real",
        edge_case="undefined with fewer than two notes", source="Yang & Lerch 2018",
        function=motion.mean_abs_interval,
    ),
    Score(
        name="step_agreement_prev", level="bar", unit="share", low=0, high=1, target="as real",
        edge_case="undefined after a silent bar or none; rest agrees with rest", source="ours",
        function=structure.step_agreement_prev,
    ),
    Score(
        name="chord_tone_rate", level="bar", unit="share", low=0, high=1, target="as real",
        edge_case="undefined without notes or without a chord", source="Yeh et al. 2021",
        function=harmony.chord_tone_rate,
    ),
    Score(
        name="empty_bar_rate", level="phrase", unit="share", low=0, high=1, target="down",
        edge_case="1 for a silent phrase", source="Dong et al. 2018 (EB)", function=rhythm.empty_bar_rate,
    ),
    Score(
        name="copy_prev_rate", level="phrase", unit="share", low=0, high=1, target="as real",
        edge_case="bars after a silent bar are not counted; undefined if none is left", source="ours",
        function=structure.copy_prev_rate,
    ),
    Score(
        name="phrase_pce", level="phrase", unit="bits", low=0, high=log2(12), target="as real",
        edge_case="undefined without notes", source="Wu & Yang 2020; muspy", function=pitch.phrase_pce,
    ),
    Score(
        name="phrase_scale_consistency", level="phrase", unit="share", low=7 / 12, high=1, target="as real",
        edge_case="undefined without notes", source="Mogren 2016; muspy",
        function=pitch.phrase_scale_consistency,
    ),
    Score(
        name="dup_rate", level="set", unit="share", low=0, high=1, target="down",
        edge_case="undefined without phrases; silent endings equal each other", source="ours",
        function=structure.dup_rate,
    ),
)  # fmt: skip

SCORES: Final[Mapping[str, Score]] = MappingProxyType({score.name: score for score in _ALL})
"""Name to score, in the order of the documentation."""


def measure(bars: Bars, level: Level) -> dict[str, FloatArray]:
    """All scores of one level, on bars whose derived quantities are shared between the calls."""
    return {score.name: score.function(bars) for score in SCORES.values() if score.level == level}


def score_bars(roll: BoolArray, chord: IntArray, previous: BoolArray) -> dict[str, FloatArray]:
    """Every bar score of N bars: name to float64 (N,), NaN where a score is undefined.

    Args:
        roll: bool (N, 16, 128), any number of voices; one voice is several times faster.
        chord: whole numbers (N,), classes 0-24.
        previous: bool (N, 16, 128), the bar before each; a silent one counts as none.

    Raises:
        ValueError: on another shape or dtype, or a chord outside 0-24.
    """
    return measure(Bars.of_bars(roll, chord, previous), "bar")


def score_phrases(roll: BoolArray, chord: IntArray) -> dict[str, FloatArray]:
    """Every phrase score of M phrases: name to float64 (M,), NaN where a score is undefined.

    Args:
        roll: bool (M, 8, 16, 128), any number of voices.
        chord: whole numbers (M, 8), classes 0-24.

    Raises:
        ValueError: on another shape or dtype, or a chord outside 0-24.
    """
    return measure(Bars.of_phrases(roll, chord), "phrase")
