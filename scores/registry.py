"""Every score, once: what it is called, what its number means and the function that computes it.

A new score is a function in the file of its subject and one entry here; docs, reports and tests follow.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import log2
from types import MappingProxyType
from typing import Any, Final, Literal

from scores import balance, copying, diversity, harmony, motion, pitch, rhythm, structure, transitions
from scores.notes import Bars, BoolArray, IntArray
from scores.undefined import FloatArray, defined_mean

Target = Literal["as real", "up", "down", "0", "1", "0.5"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One score. It has a function for bars, for phrases or both; or else one for whole sets."""

    name: str
    unit: str
    low: float
    high: float
    target: Target
    edge_case: str
    source: str
    bar: Callable[[Bars], FloatArray] | None = None
    """Value of each bar (N,), NaN where undefined."""
    phrase: Callable[[Bars], FloatArray] | None = None
    """Value of each phrase (M,), NaN where undefined. Without one, the mean over the bars that define the score."""
    set: Callable[..., Any] | None = None
    """Value of a set of phrases; what it is computed from differs."""

    @property
    def function(self) -> Callable[..., Any]:
        """The function that defines the score, with the formula in its docstring."""
        function = self.bar or self.phrase or self.set
        assert function is not None
        return function.func if isinstance(function, partial) else function

    @property
    def level(self) -> str:
        """What has a value of its own."""
        kinds = {"bar": self.bar, "phrase": self.phrase, "set": self.set}
        return " and ".join(kind for kind, function in kinds.items() if function)


_WITHOUT_NOTES: Final = "undefined without notes"
_CHORDLESS: Final = "undefined without notes or without a chord"

_ALL: Final = (
    Score(
        name="note_count", unit="notes", low=0, high=1024, target="as real",
        edge_case="0 in an empty bar; at most 16 in one voice", source="Yang & Lerch 2018", bar=rhythm.note_count,
    ),
    Score(
        name="mean_duration", unit="steps", low=1, high=16, target="as real", edge_case=_WITHOUT_NOTES,
        source="Yang & Lerch 2018", bar=rhythm.mean_duration,
    ),
    Score(
        name="mean_ioi", unit="steps", low=1, high=127, target="as real",
        edge_case="undefined with fewer than two onsets", source="Yang & Lerch 2018",
        bar=rhythm.mean_ioi, phrase=rhythm.phrase_mean_ioi,
    ),
    Score(
        name="qualified_note_rate", unit="share", low=0, high=1, target="up", edge_case=_WITHOUT_NOTES,
        source="Dong et al. 2018 (QN)", bar=rhythm.qualified_note_rate,
    ),
    Score(
        name="empty_bar_rate", unit="share", low=0, high=1, target="down", edge_case="1 for silence",
        source="Dong et al. 2018 (EB)", bar=rhythm.empty_bar_rate,
    ),
    Score(
        name="rest_rate", unit="share", low=0, high=1, target="as real", edge_case="1 in an empty bar",
        source="muspy", bar=rhythm.rest_rate,
    ),
    Score(
        name="inner_empty_rate", unit="share", low=0, high=1, target="down",
        edge_case="undefined in fewer than three bars", source="ours", phrase=rhythm.inner_empty_rate,
    ),
    Score(
        name="on_beat_rate", unit="share", low=0, high=1, target="as real", edge_case=_WITHOUT_NOTES, source="ours",
        bar=rhythm.on_beat_rate,
    ),
    Score(
        name="off_eighth_rate", unit="share", low=0, high=1, target="as real", edge_case=_WITHOUT_NOTES,
        source="ours", bar=rhythm.off_eighth_rate,
    ),
    Score(
        name="groove_similarity_prev", unit="share", low=0, high=1, target="as real",
        edge_case="undefined after a silent bar or none", source="Wu & Yang 2020 (GS)",
        bar=rhythm.groove_similarity_prev,
    ),
    Score(
        name="groove_similarity", unit="share", low=0, high=1, target="as real",
        edge_case="undefined in a single bar", source="Wu & Yang 2020 (GS)", phrase=rhythm.groove_similarity,
    ),
    Score(
        name="out_of_register_rate", unit="share", low=0, high=1, target="down", edge_case=_WITHOUT_NOTES,
        source="ours", bar=pitch.out_of_register_rate,
    ),
    Score(
        name="pitch_range", unit="semitones", low=0, high=127, target="as real",
        edge_case="undefined without notes; 0 for one pitch", source="Yang & Lerch 2018 (PR); muspy",
        bar=pitch.pitch_range,
    ),
    Score(
        name="phrase_range", unit="semitones", low=0, high=127, target="as real",
        edge_case="undefined without notes; 0 for one pitch", source="Yang & Lerch 2018 (PR); muspy",
        phrase=pitch.phrase_range,
    ),
    Score(
        name="mean_pitch", unit="MIDI number", low=0, high=127, target="as real", edge_case=_WITHOUT_NOTES,
        source="ours", bar=pitch.mean_pitch,
    ),
    Score(
        name="pitch_count", unit="pitches", low=0, high=128, target="as real", edge_case="0 in an empty bar",
        source="muspy; Yang & Lerch 2018", bar=pitch.pitch_count,
    ),
    Score(
        name="pitch_class_count", unit="classes", low=0, high=12, target="as real", edge_case="0 in an empty bar",
        source="Dong et al. 2018 (UPC); muspy", bar=pitch.pitch_class_count,
    ),
    Score(
        name="pitch_class_entropy", unit="bits", low=0, high=log2(12), target="as real", edge_case=_WITHOUT_NOTES,
        source="Wu & Yang 2020 (H1)", bar=pitch.pitch_class_entropy,
    ),
    Score(
        name="pitch_class_entropy_4", unit="bits", low=0, high=log2(12), target="as real",
        edge_case="windows without notes are left out; undefined if none is left", source="Wu & Yang 2020 (H4)",
        phrase=pitch.pitch_class_entropy_4,
    ),
    Score(
        name="phrase_pce", unit="bits", low=0, high=log2(12), target="as real", edge_case=_WITHOUT_NOTES,
        source="Wu & Yang 2020; muspy", phrase=pitch.phrase_pce,
    ),
    Score(
        name="pitch_entropy", unit="bits", low=0, high=7, target="as real", edge_case=_WITHOUT_NOTES, source="muspy",
        bar=pitch.pitch_entropy,
    ),
    Score(
        name="scale_consistency", unit="share", low=7 / 12, high=1, target="as real",
        edge_case="undefined without notes; 1 for a single note", source="Mogren 2016; muspy",
        bar=pitch.scale_consistency,
    ),
    Score(
        name="phrase_scale_consistency", unit="share", low=7 / 12, high=1, target="as real", edge_case=_WITHOUT_NOTES,
        source="Mogren 2016; muspy", phrase=pitch.phrase_scale_consistency,
    ),
    Score(
        name="pitch_in_scale_rate", unit="share", low=0, high=1, target="as real",
        edge_case="undefined without notes; of C major unless told otherwise", source="Dong et al. 2018; muspy",
        bar=pitch.pitch_in_scale_rate,
    ),
    Score(
        name="polyphony", unit="pitches", low=1, high=128, target="as real",
        edge_case="undefined without notes; 1 for a melody", source="muspy", bar=pitch.polyphony,
    ),
    Score(
        name="polyphonic_rate", unit="share", low=0, high=1, target="as real", edge_case="0 in an empty bar",
        source="Dong et al. 2018 (PP); muspy", bar=pitch.polyphonic_rate,
    ),
    Score(
        name="mean_abs_interval", unit="semitones", low=0, high=127, target="as real",
        edge_case="undefined with fewer than two notes", source="Yang & Lerch 2018", bar=motion.mean_abs_interval,
    ),
    Score(
        name="max_abs_interval", unit="semitones", low=0, high=127, target="as real",
        edge_case="undefined with fewer than two notes", source="Yang & Lerch 2018", bar=motion.max_abs_interval,
    ),
    Score(
        name="join_interval", unit="semitones", low=0, high=127, target="as real",
        edge_case="undefined if the bar or the one before is silent", source="ours", bar=motion.join_interval,
    ),
    Score(
        name="chord_tone_rate", unit="share", low=0, high=1, target="as real", edge_case=_CHORDLESS,
        source="Yeh et al. 2021", bar=harmony.chord_tone_rate,
    ),
    Score(
        name="ctnctr", unit="share", low=0, high=1, target="as real", edge_case=_CHORDLESS, source="Yeh et al. 2021",
        bar=harmony.ctnctr,
    ),
    Score(
        name="pcs", unit="none", low=-1, high=1, target="as real", edge_case=_CHORDLESS, source="Yeh et al. 2021",
        bar=harmony.pcs,
    ),
    Score(
        name="mctd", unit="none", low=1.029, high=2.356, target="as real", edge_case=_CHORDLESS,
        source="Yeh et al. 2021; Harte et al. 2006", bar=harmony.mctd,
    ),
    Score(
        name="step_agreement_prev", unit="share", low=0, high=1, target="as real",
        edge_case="undefined after a silent bar or none; rest agrees with rest", source="ours",
        bar=structure.step_agreement_prev,
    ),
    *(
        Score(
            name=f"step_agreement_lag{lag}", unit="share", low=0, high=1, target="as real",
            edge_case="silent bars agree; undefined if no bar has one so far before it", source="ours",
            phrase=partial(structure.step_agreement, lag=lag),
        )
        for lag in (1, 2, 4)
    ),
    Score(
        name="pc_similarity_prev", unit="none", low=0, high=1, target="as real",
        edge_case="undefined if the bar or the one before is silent", source="ours", bar=structure.pc_similarity_prev,
    ),
    Score(
        name="copy_prev_rate", unit="share", low=0, high=1, target="as real",
        edge_case="bars after a silent bar or none are not counted", source="ours", bar=structure.copy_prev_rate,
    ),
    Score(
        name="copy_first_rate", unit="share", low=0, high=1, target="as real",
        edge_case="undefined if the first bar is silent or the only one", source="ours",
        phrase=structure.copy_first_rate,
    ),
    Score(
        name="distinct_bar_ratio", unit="share", low=0, high=1, target="as real",
        edge_case="silent bars equal each other", source="ours", phrase=structure.distinct_bar_ratio,
    ),
    Score(
        name="pctm", unit="bits", low=0, high=1, target="0",
        edge_case="undefined if either set has no two successive notes", source="Yang & Lerch 2018",
        set=transitions.pctm,
    ),
    Score(
        name="nltm", unit="bits", low=0, high=1, target="0",
        edge_case="undefined if either set has no two successive notes", source="Yang & Lerch 2018",
        set=transitions.nltm,
    ),
    Score(
        name="dup_rate", unit="share", low=0, high=1, target="down",
        edge_case="undefined without phrases; silent endings equal each other", source="ours",
        set=structure.dup_rate,
    ),
    Score(
        name="near_copy_rate", unit="share", low=0, high=1, target="down",
        edge_case="windows of fewer than six onsets are never copies", source="after Meehan et al. 2020",
        set=copying.near_copy_rate,
    ),
    Score(
        name="copy_auc", unit="none", low=0, high=1, target="0.5", edge_case="undefined if a set is empty",
        source="Meehan et al. 2020", set=copying.copy_auc,
    ),
    Score(
        name="intra_set_distance", unit="ratio", low=0, high=float("inf"), target="1",
        edge_case="undefined with fewer than two phrases", source="Yang & Lerch 2018",
        set=diversity.intra_set_distance,
    ),
    Score(
        name="recall_ratio", unit="ratio", low=0, high=float("inf"), target="1",
        edge_case="undefined with five generated phrases or fewer, or if the base line is 0",
        source="Kynkäänniemi et al. 2019", set=diversity.recall,
    ),
    Score(
        name="coverage_ratio", unit="ratio", low=0, high=float("inf"), target="1",
        edge_case="undefined with five real phrases or fewer, or if the base line is 0",
        source="Naeem et al. 2020", set=diversity.coverage,
    ),
    Score(
        name="vendi_score", unit="phrases", low=1, high=float("inf"), target="as real",
        edge_case="undefined without phrases", source="Friedman & Dieng 2023", set=diversity.vendi_score,
    ),
    Score(
        name="d_balance", unit="none", low=0, high=1, target="0", edge_case="undefined if a set is empty",
        source="ours; the area under the curve of Mann & Whitney", set=balance.d_balance,
    ),
)  # fmt: skip

SCORES: Final[Mapping[str, Score]] = MappingProxyType({score.name: score for score in _ALL})
"""Name to score, in the order of the documentation."""


def bar_scores(bars: Bars) -> dict[str, FloatArray]:
    """Every bar score of the bars: name to float64 (N,)."""
    return {score.name: score.bar(bars) for score in SCORES.values() if score.bar}


def phrase_scores(bars: Bars, of_bars: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Every phrase score of the bars' phrases, given their bar scores: name to float64 (M,)."""
    means = {name: defined_mean(bars.by_phrase(values), 1) for name, values in of_bars.items()}
    return means | {score.name: score.phrase(bars) for score in SCORES.values() if score.phrase}


def score_bars(roll: BoolArray, chord: IntArray, previous: BoolArray) -> dict[str, FloatArray]:
    """Every bar score of N bars: name to float64 (N,), NaN where a score is undefined.

    Args:
        roll: bool (N, 16, 128), any number of voices; one voice is several times faster.
        chord: whole numbers (N,), classes 0-24.
        previous: bool (N, 16, 128), the bar before each; a silent one counts as none.

    Raises:
        ValueError: on another shape or dtype, or a chord outside 0-24.
    """
    return bar_scores(Bars.of_bars(roll, chord, previous))


def score_phrases(roll: BoolArray, chord: IntArray) -> dict[str, FloatArray]:
    """Every phrase score of M phrases: name to float64 (M,), NaN where a score is undefined.

    A score that is defined by bars has its mean over the bars of the phrase that define it.

    Args:
        roll: bool (M, 8, 16, 128), any number of voices, or of another number of bars.
        chord: whole numbers (M, 8), classes 0-24.

    Raises:
        ValueError: on another shape or dtype, or a chord outside 0-24.
    """
    bars = Bars.of_phrases(roll, chord)
    return phrase_scores(bars, bar_scores(bars))
