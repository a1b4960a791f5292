"""What a score that is off sounds like, in words, and which words contradict each other.

The words follow the remarks of the paper (§6) on its own samples: discordant, unpleasantly rapid, lack of melody
notes, low-pitched and high-pitched notes, few notes repeated along the bars, the same bar over and over.
"""

from collections.abc import Mapping, Set
from types import MappingProxyType
from typing import Final, NamedTuple

from scores.features import Family


class Words(NamedTuple):
    """What too much and too little of a score means; None where that is no fault."""

    family: Family
    too_much: str | None
    too_little: str | None


_RAPID: Final = "unpleasantly rapid: too many notes, too short"
_SPARSE: Final = "lack of melody notes: too few, too far apart, too much silence"
_RESTLESS: Final = "hardly a rest: the melody never breathes"
_SLOW: Final = "sluggish: the notes are too long"
_EMPTY: Final = "empty bars: the melody falls silent"
_HOLLOW: Final = "nothing between the first and the last bar"
_HIGH: Final = "pitched too high"
_LOW: Final = "pitched too low"
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
_NO_THEME: Final = "no theme: hardly a bar returns"
_DISCORD: Final = "discordant: notes that do not fit the chord"
_ARPEGGIO: Final = "little but chord tones: hardly a passing note"

WORDS: Final[Mapping[str, Words]] = MappingProxyType(
    {
        "note_count": Words("rhythm", _RAPID, _SPARSE),
        "mean_duration": Words("rhythm", _SLOW, _RAPID),
        "mean_ioi": Words("rhythm", _SPARSE, _RAPID),
        "qualified_note_rate": Words("rhythm", _SLOW, _RAPID),
        "empty_bar_rate": Words("rhythm", _EMPTY, None),
        "inner_empty_rate": Words("rhythm", _HOLLOW, None),
        "rest_rate": Words("rhythm", _SPARSE, _RESTLESS),
        "out_of_register_rate": Words("pitch", "notes so low or so high that they are hardly heard", None),
        "pitch_range": Words("pitch", _REGISTER, _NARROW),
        "phrase_range": Words("pitch", _REGISTER, _NARROW),
        "mean_pitch": Words("pitch", _HIGH, _LOW),
        "pitch_count": Words("pitch", _ERRATIC, _FEW),
        "pitch_class_count": Words("pitch", _ERRATIC, _FEW),
        "pitch_entropy": Words("pitch", _ERRATIC, _FEW),
        "pitch_class_entropy": Words("pitch", _ERRATIC, _FEW),
        "pitch_class_entropy_4": Words("pitch", _ERRATIC, _FEW),
        "phrase_pce": Words("pitch", _ERRATIC, _FEW),
        "scale_consistency": Words("pitch", _BLAND, _OFF_KEY),
        "phrase_scale_consistency": Words("pitch", _BLAND, _OFF_KEY),
        "polyphony": Words("pitch", _THICK, _THIN),
        "polyphonic_rate": Words("pitch", _THICK, _THIN),
        "mean_abs_interval": Words("motion", _LEAPS, _CREEPS),
        "max_abs_interval": Words("motion", _LEAPS, _CREEPS),
        "join_interval": Words("motion", _DISJOINT, _CREEPS),
        "on_beat_rate": Words("rhythm", _STIFF, _SENSELESS),
        "off_eighth_rate": Words("rhythm", _SENSELESS, _PLAIN),
        "groove_similarity": Words("rhythm", _SAME_RHYTHM, _NO_RHYTHM),
        "groove_similarity_prev": Words("rhythm", _SAME_RHYTHM, _NO_RHYTHM),
        "step_agreement_prev": Words("structure", _SAME_BAR, _NO_THEME),
        "step_agreement_lag1": Words("structure", _SAME_BAR, _NO_THEME),
        "step_agreement_lag2": Words("structure", _SAME_BAR, _NO_THEME),
        "step_agreement_lag4": Words("structure", _SAME_BAR, _NO_THEME),
        "pc_similarity_prev": Words("structure", _SAME_BAR, _NO_THEME),
        "copy_prev_rate": Words("structure", _SAME_BAR, _NO_THEME),
        "copy_first_rate": Words("structure", _SAME_BAR, _NO_THEME),
        "distinct_bar_ratio": Words("structure", _NO_THEME, _SAME_BAR),
        "chord_tone_rate": Words("harmony", _ARPEGGIO, _DISCORD),
        "ctnctr": Words("harmony", _ARPEGGIO, _DISCORD),
        "pcs": Words("harmony", _ARPEGGIO, _DISCORD),
        "mctd": Words("harmony", _DISCORD, _ARPEGGIO),
    }
)
"""Score to its words."""

_AXES: Final = MappingProxyType(
    {
        "density": ({_RAPID}, {_SPARSE, _SLOW}),
        "silence": ({_SPARSE, _EMPTY, _HOLLOW}, {_RESTLESS}),
        "register": ({_HIGH}, {_LOW}),
        "range": ({_REGISTER}, {_NARROW}),
        "variety": ({_ERRATIC}, {_FEW, _NARROW}),
        "scale": ({_OFF_KEY}, {_BLAND}),
        "voices": ({_THICK}, {_THIN}),
        "motion": ({_LEAPS, _DISJOINT}, {_CREEPS}),
        "beat": ({_SENSELESS}, {_STIFF, _PLAIN}),
        "theme": ({_SAME_BAR}, {_NO_THEME, _NO_RHYTHM}),
        "returning rhythm": ({_SAME_RHYTHM}, {_NO_RHYTHM}),
        "chord": ({_DISCORD}, {_ARPEGGIO}),
    }
)
"""What words are about: those of its one end, and those of its other."""


def contrary(words: str) -> Set[str]:
    """The words that cannot be true of music of which these are."""
    ends = [pair for one, other in _AXES.values() for pair in ((one, other), (other, one))]
    return frozenset().union(*(other for one, other in ends if words in one))
