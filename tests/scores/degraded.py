"""Ways to spoil real phrases, by how bad they are: what a score of music has to notice.

Bar 1 of a phrase is the prompt and stays. Whatever a smaller share touches, a larger share with the same seed touches
too, so that more of a fault is never other music. Melodies are int8 (M, 8, 16), MIDI pitches, -1 rest.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_prep.bars import SILENCE, transpose
from data_prep.chords import NO_CHORD
from scores.phrases import Phrases

Lines = NDArray[np.int8]
Rng = np.random.Generator
Severity = Literal["mild", "medium", "heavy"]

_STEPS: Final = (-2, -1, 1, 2)


class _Notes(NamedTuple):
    """Every run of one pitch in a bar, in order of time; rests are runs too."""

    at: NDArray[np.int64]
    """(M, 8, 16) which run each step belongs to."""
    pitch: NDArray[np.int64]
    """(K,) its pitch, -1 rest."""
    phrase: NDArray[np.int64]
    """(K,) the phrase it is in."""
    hit: NDArray[np.bool_]
    """(K,) whether this run is a note to spoil; none is in bar 1."""

    def with_pitch(self, pitch: NDArray[np.int64]) -> Lines:
        return np.clip(pitch, SILENCE, 127).astype(np.int8)[self.at]


def _notes(melody: Lines, share: float, rng: Rng) -> _Notes:
    starts = np.ones(melody.shape, bool)
    starts[..., 1:] = melody[..., 1:] != melody[..., :-1]
    phrase, bar, step = np.nonzero(starts)
    pitch = melody[phrase, bar, step].astype(np.int64)
    hit = (rng.random(len(pitch)) < share) & (pitch != SILENCE) & (bar > 0)
    return _Notes(at=starts.cumsum().reshape(melody.shape) - 1, pitch=pitch, phrase=phrase, hit=hit)


def _bars(melody: Lines, share: float, rng: Rng, *, inner: bool = False) -> NDArray[np.bool_]:
    """(M, 8): the bars to spoil; of the inner ones, bar 8 is none."""
    hit: NDArray[np.bool_] = rng.random(melody.shape[:2]) < share
    hit[:, 0] = False
    hit[:, -1] &= not inner
    return hit


def _instead(melody: Lines, hit: NDArray[np.bool_], other: NDArray[np.integer]) -> Lines:
    return np.where(hit[..., None], other, melody).astype(np.int8)


def semitone_slips(melody: Lines, share: float, rng: Rng) -> Lines:
    """Notes that are a semitone too high or too low."""
    notes = _notes(melody, share, rng)
    slips = rng.choice((-1, 1), len(notes.pitch))
    return notes.with_pitch(notes.pitch + notes.hit * slips)


def notes_dropped(melody: Lines, share: float, rng: Rng) -> Lines:
    """Notes that are rests."""
    notes = _notes(melody, share, rng)
    return notes.with_pitch(np.where(notes.hit, SILENCE, notes.pitch))


def wrong_notes(melody: Lines, share: float, rng: Rng) -> Lines:
    """Notes with any other pitch up to an octave away."""
    notes = _notes(melody, share, rng)
    away = rng.integers(1, 13, len(notes.pitch)) * rng.choice((-1, 1), len(notes.pitch))
    return notes.with_pitch(notes.pitch + notes.hit * away)


def octave_jumps(melody: Lines, share: float, rng: Rng) -> Lines:
    """Notes that sound one or two octaves higher or lower."""
    notes = _notes(melody, share, rng)
    jumps = rng.choice((-24, -12, 12, 24), len(notes.pitch))
    return notes.with_pitch(notes.pitch + notes.hit * jumps)


def pitches_permuted(melody: Lines, share: float, rng: Rng) -> Lines:
    """Notes that have exchanged their pitches with others of their phrase."""
    notes = _notes(melody, share, rng)
    chosen = np.flatnonzero(notes.hit)
    pitch = notes.pitch.copy()
    pitch[chosen] = pitch[chosen][np.lexsort((rng.random(len(chosen)), notes.phrase[chosen]))]
    return notes.with_pitch(pitch)


def pitches_permuted_in_bars(melody: Lines, share: float, rng: Rng) -> Lines:
    """Notes that have exchanged their pitches with others of their bar."""
    alone = melody.reshape(-1, 1, 16).repeat(2, axis=1)  # each bar as a phrase, behind a first bar that stays
    return pitches_permuted(alone, share, rng)[:, 1].reshape(melody.shape)


def bars_from_elsewhere(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars of other phrases."""
    hit = _bars(melody, share, rng)
    return _instead(melody, hit, rng.permutation(melody.reshape(-1, 16)).reshape(melody.shape))


def copies_of_the_bar_before(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars that say again what the bar before said."""
    hit = _bars(melody, share, rng)
    result: Lines = melody.copy()
    for bar in range(1, melody.shape[1]):
        result[:, bar] = np.where(hit[:, bar, None], result[:, bar - 1], melody[:, bar])
    return result


def too_rapid(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars that run in sixteenths, up and down by small steps from their first pitch."""
    hit = _bars(melody, share, rng)
    run = melody.max(axis=-1, keepdims=True) + rng.choice(_STEPS, melody.shape).cumsum(axis=-1)
    return _instead(melody, hit, np.clip(run, 0, 127))


def inner_bars_empty(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars between the first and the last that are silent."""
    return _instead(melody, _bars(melody, share, rng, inner=True), np.full_like(melody, SILENCE))


def steps_shuffled(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars whose sixteen steps are in another order."""
    return _instead(melody, _bars(melody, share, rng), rng.permuted(melody, axis=-1))


def up_an_octave(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars that sound an octave higher."""
    return _instead(melody, _bars(melody, share, rng), transpose(melody, 12))


def random_in_two_octaves(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars with a new pitch at every step, from C4 to B5."""
    return _instead(melody, _bars(melody, share, rng), rng.integers(60, 84, melody.shape))


def random_in_all_pitches(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars with a new pitch at every step, of all that MIDI has."""
    return _instead(melody, _bars(melody, share, rng), rng.integers(0, 128, melody.shape))


def one_bar_for_everything(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars that are one and the same in the whole set."""
    hit, chosen = _bars(melody, share, rng), rng.integers(len(melody))
    return _instead(melody, hit, melody[chosen, 1])


def silence(melody: Lines, share: float, rng: Rng) -> Lines:
    """Bars that are silent."""
    return _instead(melody, _bars(melody, share, rng), np.full_like(melody, SILENCE))


Kind = Callable[[Lines, float, Rng], Lines]


@dataclass(frozen=True, slots=True)
class Degradation:
    """One way to spoil a share of the notes or bars, how bad that is, and where it must show most."""

    severity: Severity
    kind: Kind
    share: float = 1.0
    family: str | None = None
    """The family of features whose distance it raises most; None: more than one may be."""

    @property
    def name(self) -> str:
        """What a report calls it."""
        return f"{self.kind.__name__.replace('_', ' ')}, {100 * self.share:g} %"


DEGRADATIONS: Final = (
    Degradation("mild", semitone_slips, 0.10),
    Degradation("mild", notes_dropped, 0.10, "rhythm"),
    Degradation("mild", wrong_notes, 0.05, "motion"),
    Degradation("mild", bars_from_elsewhere, 0.20),
    Degradation("mild", copies_of_the_bar_before, 0.20, "structure"),
    Degradation("mild", too_rapid, 0.10),
    Degradation("mild", pitches_permuted, 0.30),
    Degradation("mild", inner_bars_empty, 0.20, "rhythm"),
    Degradation("mild", octave_jumps, 0.05, "motion"),
    Degradation("medium", up_an_octave, family="pitch"),
    Degradation("medium", pitches_permuted),
    Degradation("medium", wrong_notes, 0.20, "motion"),
    Degradation("medium", bars_from_elsewhere),
    Degradation("heavy", notes_dropped, 0.75),
    Degradation("heavy", steps_shuffled, family="rhythm"),
    Degradation("heavy", inner_bars_empty),
    Degradation("heavy", too_rapid),
    Degradation("heavy", copies_of_the_bar_before, family="structure"),
    Degradation("heavy", random_in_two_octaves),
    Degradation("heavy", random_in_all_pitches),
    Degradation("heavy", one_bar_for_everything),
    Degradation("heavy", silence),
)
"""From mild to heavy: a severity is by how much is touched, not by any score."""

GRADED: Final = tuple(degradation.kind for degradation in DEGRADATIONS if degradation.severity == "mild")
"""The kinds of which there may be more or less."""


def of_bars(melody: Lines, chord: NDArray[np.int8]) -> Phrases:
    """Phrases (M, 8, 16) with one chord a bar (M, 8)."""
    return Phrases(music=melody, chord=chord, beats=np.repeat(chord[..., None], 4, axis=2))


def spoilt(real: Phrases, kind: Kind, share: float, seed: int = 0) -> Phrases:
    """Real phrases with that share of the notes or bars spoilt, over the chords they had."""
    melody = kind(real.music, share, np.random.default_rng(seed))
    melody[:, 0] = real.music[:, 0]
    return of_bars(melody, real.chord)


def collapsed(real: Phrases, distinct: int, seed: int = 0) -> Phrases:
    """As many phrases, of which only so many are distinct; each keeps its chords, so nothing else is wrong."""
    some = np.random.default_rng(seed).permutation(len(real))[:distinct]
    rows = some[np.arange(len(real)) % distinct]
    return of_bars(real.music[rows], real.chord[rows])


def copied(real: Phrases, training: Phrases, share: float, seed: int = 0) -> Phrases:
    """That share of the phrases replaced by different training phrases, with their chords."""
    rng = np.random.default_rng(seed)
    rows = rng.permutation(len(training))[: len(real)]
    hit = rng.random(len(rows)) < share
    melody = np.where(hit[:, None, None], training.music[rows], real.music[: len(rows)])
    return of_bars(melody, np.where(hit[:, None], training.chord[rows], real.chord[: len(rows)]))


def transposed(real: Phrases, shift: int) -> Phrases:
    """Melody and chords moved by so many semitones, from -12 to 12."""
    return of_bars(transpose(real.music, shift), over_other_chords(real, shift).chord)


def over_other_chords(real: Phrases, shift: int) -> Phrases:
    """The chords alone moved by so many semitones."""
    chord = np.where(real.chord == NO_CHORD, NO_CHORD, real.chord // 12 * 12 + (real.chord + shift) % 12)
    return of_bars(real.music, chord.astype(np.int8))


FAULTS_OF_ONE_FAMILY: Final[Mapping[str, Callable[[Phrases], Phrases]]] = MappingProxyType(
    {
        "pitch": lambda real: transposed(real, 12),
        "motion": lambda real: spoilt(real, pitches_permuted_in_bars, 1),
        "rhythm": lambda real: spoilt(real, notes_dropped, 0.1),
        "harmony": lambda real: over_other_chords(real, 6),
        "structure": lambda real: spoilt(real, copies_of_the_bar_before, 0.2),
    }
)
"""Family of features to what is wrong for it, and for the other families hardly."""


CHEATS: Final[Mapping[str, Callable[[Phrases, Phrases], Phrases]]] = MappingProxyType(
    {
        "half of the phrases": lambda real, training: collapsed(real, len(real) // 2),
        "a quarter of the phrases": lambda real, training: collapsed(real, len(real) // 4),
        "an eighth of the phrases": lambda real, training: collapsed(real, len(real) // 8),
        "four phrases": lambda real, training: collapsed(real, 4),
        "one phrase": lambda real, training: collapsed(real, 1),
        "training copies, 10 %": lambda real, training: copied(real, training, 0.1),
        "training copies, 50 %": lambda real, training: copied(real, training, 0.5),
        "training copies": lambda real, training: copied(real, training, 1),
        "training copies, 5 % wrong notes": lambda real, training: spoilt(copied(real, training, 1), wrong_notes, 0.05),
        "training copies, transposed": lambda real, training: transposed(copied(real, training, 1), 2),
    }
)
"""What sounds real but is little or no music of one's own: phrases and training phrases to phrases."""
