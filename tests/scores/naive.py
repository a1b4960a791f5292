"""Every score, every feature and the energy distance once more, straight from the formulas: plain loops over pitches.

It shares no line with `scores`. A bar is a list of 16 steps and a step is the set of its pitches; a phrase is a list
of bars. NaN stands for "not defined".
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import combinations, pairwise
from typing import NamedTuple

import numpy as np

Bar = list[set[int]]
NAN = math.nan
STEPS = 16
NO_CHORD = 24
MAJOR = (0, 2, 4, 5, 7, 9, 11)
CONSONANT, NEUTRAL = (0, 3, 4, 7, 8, 9), 5


class Note(NamedTuple):
    """A run of steps with the same pitch, inside one bar."""

    start: int
    pitch: int
    length: int


# --- from rolls to bars -----------------------------------------------------------------------------------------------


def bar_of(roll: np.ndarray) -> Bar:
    """The sets of pitches of one roll, bool (16, 128)."""
    return [set(np.flatnonzero(column).tolist()) for column in roll]


def notes_of(bar: Bar) -> list[Note]:
    """Maximal runs of every pitch, by start and then by pitch."""
    notes = []
    for step in range(STEPS):
        for pitch in sorted(bar[step]):
            if step and pitch in bar[step - 1]:
                continue
            length = 1
            while step + length < STEPS and pitch in bar[step + length]:
                length += 1
            notes.append(Note(step, pitch, length))
    return notes


def line_of(bar: Bar) -> Bar:
    """The highest pitch of every step alone."""
    return [{max(step)} if step else set() for step in bar]


# --- arithmetic -------------------------------------------------------------------------------------------------------


def mean(values: Iterable[float]) -> float:
    """Mean of the values that are defined; NaN if none is."""
    defined = [value for value in values if not math.isnan(value)]
    return math.fsum(defined) / len(defined) if defined else NAN


def deviation(values: Iterable[float]) -> float:
    """Standard deviation (ddof 0) of the values that are defined; NaN if none is."""
    defined = [value for value in values if not math.isnan(value)]
    middle = mean(defined)
    return math.sqrt(mean((value - middle) ** 2 for value in defined)) if defined else NAN


def share(true: Iterable[bool]) -> float:
    return mean(float(one) for one in true)


def entropy(items: Iterable[int]) -> float:
    """Bits of the distribution of the items; NaN if there is none."""
    counts = Counter(items)
    total = sum(counts.values())
    if not total:
        return NAN
    return sum(-count / total * math.log2(count / total) for count in counts.values())


def cosine(a: Sequence[float], b: Sequence[float]) -> float:
    norm = math.hypot(*a) * math.hypot(*b)
    return sum(x * y for x, y in zip(a, b, strict=True)) / norm if norm else NAN


# --- pitches of a bar -------------------------------------------------------------------------------------------------


def scale_share(notes: Sequence[Note], root: int) -> float:
    return share((note.pitch - root) % 12 in MAJOR for note in notes)


def scale_consistency(notes: Sequence[Note]) -> float:
    return max(scale_share(notes, root) for root in range(12)) if notes else NAN


def pitch_range(notes: Sequence[Note]) -> float:
    return max(note.pitch for note in notes) - min(note.pitch for note in notes) if notes else NAN


def pitch_class_entropy(notes: Sequence[Note]) -> float:
    return entropy(note.pitch % 12 for note in notes)


def pitch_class_counts(notes: Sequence[Note]) -> list[int]:
    return [sum(note.pitch % 12 == wanted for note in notes) for wanted in range(12)]


def pitch_scores(bar: Bar) -> dict[str, float]:
    notes = notes_of(bar)
    return {
        "out_of_register_rate": share(not 21 <= note.pitch <= 108 for note in notes),
        "pitch_range": pitch_range(notes),
        "mean_pitch": mean(pitch for step in bar for pitch in step),
        "pitch_count": len({note.pitch for note in notes}),
        "pitch_class_count": len({note.pitch % 12 for note in notes}),
        "pitch_class_entropy": pitch_class_entropy(notes),
        "pitch_entropy": entropy(note.pitch for note in notes),
        "scale_consistency": scale_consistency(notes),
        "pitch_in_scale_rate": scale_share(notes, 0),
        "polyphony": mean(len(step) for step in bar if step),
    }


# --- rhythm of a bar --------------------------------------------------------------------------------------------------


def onset_steps(bar: Bar) -> set[int]:
    return {note.start for note in notes_of(bar)}


def mean_ioi(onsets: Iterable[int]) -> float:
    return mean(later - earlier for earlier, later in pairwise(sorted(onsets)))


def rhythm_scores(bar: Bar) -> dict[str, float]:
    notes, onsets = notes_of(bar), onset_steps(bar)
    return {
        "note_count": len(notes),
        "mean_duration": mean(note.length for note in notes),
        "mean_ioi": mean_ioi(onsets),
        "qualified_note_rate": share(note.length >= 2 for note in notes),
        "empty_bar_rate": float(not notes),
        "rest_rate": share(not step for step in bar),
        "on_beat_rate": share(onset % 4 == 0 for onset in onsets),
        "off_eighth_rate": share(onset % 2 == 1 for onset in onsets),
        "polyphonic_rate": share(len(step) >= 2 for step in bar),
    }


# --- intervals of the melody ------------------------------------------------------------------------------------------


def interval_scores(bar: Bar) -> dict[str, float]:
    leaps = [abs(later.pitch - earlier.pitch) for earlier, later in pairwise(notes_of(line_of(bar)))]
    return {"mean_abs_interval": mean(leaps), "max_abs_interval": max(leaps, default=NAN)}


# --- the melody over its chord ----------------------------------------------------------------------------------------


def triad(chord: int) -> tuple[int, ...]:
    root, third = chord % 12, 4 if chord < 12 else 3
    return (root, (root + third) % 12, (root + 7) % 12)


def consonance(pitch: int, chord: int) -> float:
    """Pitch consonance score of one pitch over one chord."""
    values = []
    for tone in triad(chord):
        interval = (pitch - tone) % 12
        values.append(1 if interval in CONSONANT else 0 if interval == NEUTRAL else -1)
    return sum(values) / 3


def centroid(weights: dict[int, float]) -> list[float]:
    """Tonal centroid (Harte, Sandler & Gasser 2006): circles of fifths, minor thirds and major thirds."""
    point = [0.0] * 6
    for pitch_class, weight in weights.items():
        for circle, (radius, turn) in enumerate(((1, 7 / 6), (1, 3 / 2), (0.5, 2 / 3))):
            point[2 * circle] += weight * radius * math.sin(pitch_class * turn * math.pi)
            point[2 * circle + 1] += weight * radius * math.cos(pitch_class * turn * math.pi)
    return point


def tonal_distance(pitch: int, chord: int) -> float:
    return math.dist(centroid({pitch % 12: 1.0}), centroid(dict.fromkeys(triad(chord), 1 / 3)))


def resolves(note: Note, following: Note | None) -> bool:
    return following is not None and abs(following.pitch - note.pitch) <= 2


def ctnctr(notes: Sequence[Note], after: Note | None, chord: int) -> float:
    """Chord tones and resolved others among the notes of a bar; `after` is the next note of the phrase."""
    good = 0
    for note, following in zip(notes, [*notes[1:], after], strict=False):
        if note.pitch % 12 in triad(chord) or resolves(note, following):
            good += 1
    return good / len(notes) if notes else NAN


def harmony_scores(bar: Bar, chord: int, after: Note | None) -> dict[str, float]:
    if chord == NO_CHORD:
        return dict.fromkeys(("chord_tone_rate", "ctnctr", "pcs", "mctd"), NAN)
    line = line_of(bar)
    pitches = [max(step) for step in line if step]
    return {
        "chord_tone_rate": share(pitch % 12 in triad(chord) for pitch in pitches),
        "ctnctr": ctnctr(notes_of(line), after, chord),
        "pcs": mean(consonance(pitch, chord) for pitch in pitches),
        "mctd": mean(tonal_distance(pitch, chord) for pitch in pitches),
    }


# --- a bar and the one before -----------------------------------------------------------------------------------------


def agreement(a: Bar, b: Bar) -> float:
    return share(x == y for x, y in zip(line_of(a), line_of(b), strict=True))


def groove(a: Bar, b: Bar) -> float:
    return 1 - len(onset_steps(a) ^ onset_steps(b)) / STEPS


def join_interval(bar: Bar, before: Bar) -> float:
    this, last = notes_of(line_of(bar)), notes_of(line_of(before))
    return abs(this[0].pitch - last[-1].pitch) if this and last else NAN


def previous_scores(bar: Bar, before: Bar) -> dict[str, float]:
    """Scores of a bar after a bar; none is defined if that one is silent."""
    names = ("join_interval", "groove_similarity_prev", "step_agreement_prev", "copy_prev_rate", "pc_similarity_prev")
    if not any(before):
        return dict.fromkeys(names, NAN)
    values = (
        join_interval(bar, before),
        groove(bar, before),
        agreement(bar, before),
        float(bar == before),
        cosine(pitch_class_counts(notes_of(bar)), pitch_class_counts(notes_of(before))),
    )
    return dict(zip(names, values, strict=True))


# --- bars and phrases -------------------------------------------------------------------------------------------------


def bar_scores(bar: Bar, chord: int, before: Bar, after: Note | None = None) -> dict[str, float]:
    return (
        pitch_scores(bar)
        | rhythm_scores(bar)
        | interval_scores(bar)
        | harmony_scores(bar, chord, after)
        | previous_scores(bar, before)
    )


def scores_of_bars(bars: Sequence[Bar], chords: Sequence[int]) -> list[dict[str, float]]:
    """Scores of every bar of a phrase: it knows the bar before and the next note; before the first is silence."""
    melody = [notes_of(line_of(bar)) for bar in bars]
    silence: Bar = [set() for _ in range(STEPS)]
    found = []
    for index, (bar, chord) in enumerate(zip(bars, chords, strict=True)):
        after = next((notes[0] for notes in melody[index + 1 :] if notes), None)
        found.append(bar_scores(bar, chord, bars[index - 1] if index else silence, after))
    return found


def windowed_entropy(bars: Sequence[Bar], size: int = 4) -> float:
    """H4: mean over every window of four bars with a note, or the whole of a shorter phrase."""
    windows = [bars[start : start + size] for start in range(max(1, len(bars) - size + 1))]
    return mean(pitch_class_entropy([note for bar in window for note in notes_of(bar)]) for window in windows)


def whole_phrase_scores(bars: Sequence[Bar]) -> dict[str, float]:
    """Scores that no single bar has."""
    notes = [note for bar in bars for note in notes_of(bar)]
    onsets = [STEPS * index + onset for index, bar in enumerate(bars) for onset in onset_steps(bar)]
    lags = {
        f"step_agreement_lag{lag}": mean(agreement(bar, bars[index]) for index, bar in enumerate(bars[lag:]))
        for lag in (1, 2, 4)
    }
    return lags | {
        "mean_ioi": mean_ioi(onsets),
        "inner_empty_rate": share(not any(bar) for bar in bars[1:-1]),
        "pitch_class_entropy_4": windowed_entropy(bars),
        "groove_similarity": mean(groove(a, b) for a, b in combinations(bars, 2)),
        "copy_first_rate": share(bar == bars[0] for bar in bars[1:]) if any(bars[0]) else NAN,
        "distinct_bar_ratio": sum(bar not in bars[:index] for index, bar in enumerate(bars)) / len(bars),
        "phrase_pce": pitch_class_entropy(notes),
        "phrase_scale_consistency": scale_consistency(notes),
        "phrase_range": pitch_range(notes),
    }


def phrase_scores(bars: Sequence[Bar], chords: Sequence[int]) -> dict[str, float]:
    per_bar = scores_of_bars(bars, chords)
    return {name: mean(scores[name] for scores in per_bar) for name in per_bar[0]} | whole_phrase_scores(bars)


# --- 43 features ------------------------------------------------------------------------------------------------------

PHRASE_FEATURES = {
    "phrase_pce": "phrase_pce",
    "phrase_scale_consistency": "phrase_scale_consistency",
    "phrase_range": "phrase_range",
    "distinct_bar_ratio": "distinct_bar_ratio",
    "copy_prev_rate": "copy_prev_rate",
    "copy_first_rate": "copy_first_rate",
    "sim_lag1": "step_agreement_lag1",
    "sim_lag2": "step_agreement_lag2",
    "sim_lag4": "step_agreement_lag4",
    "groove_all": "groove_similarity",
    "H4": "pitch_class_entropy_4",
    "empty_bar_rate": "empty_bar_rate",
}
"""Feature: the score of a phrase it is."""

BAR_NAMES = {"groove_similarity": "groove_similarity_prev"}
"""Name in `mean_...`, where it is not the name of the score of a bar."""

MEMBERS = {
    "pitch": """phrase_pce phrase_scale_consistency phrase_range H4 mean_pitch_count mean_pitch_class_count
        mean_pitch_range mean_mean_pitch mean_pitch_class_entropy mean_scale_consistency mean_polyphony
        std_pitch_class_count std_mean_pitch std_pitch_class_entropy""",
    "motion": "mean_mean_abs_interval mean_max_abs_interval mean_join_interval",
    "rhythm": """groove_all empty_bar_rate mean_note_count mean_mean_duration mean_rest_rate mean_qualified_note_rate
        mean_on_beat_rate mean_off_eighth_rate mean_groove_similarity std_note_count std_mean_duration
        std_on_beat_rate std_rest_rate""",
    "harmony": "mean_chord_tone_rate mean_ctnctr mean_pcs mean_mctd std_pcs",
    "structure": """distinct_bar_ratio copy_prev_rate copy_first_rate sim_lag1 sim_lag2 sim_lag4
        mean_step_agreement_prev mean_pc_similarity_prev""",
}
FAMILIES = {family: names.split() for family, names in MEMBERS.items()}

ORDER = """phrase_pce phrase_scale_consistency phrase_range distinct_bar_ratio copy_prev_rate copy_first_rate
    sim_lag1 sim_lag2 sim_lag4 groove_all H4 empty_bar_rate mean_note_count mean_pitch_count mean_pitch_class_count
    mean_pitch_range mean_mean_pitch mean_pitch_class_entropy mean_mean_duration mean_rest_rate
    mean_qualified_note_rate mean_mean_abs_interval mean_max_abs_interval mean_scale_consistency mean_on_beat_rate
    mean_off_eighth_rate mean_polyphony mean_chord_tone_rate mean_ctnctr mean_pcs mean_mctd mean_groove_similarity
    mean_step_agreement_prev mean_pc_similarity_prev mean_join_interval std_note_count std_pitch_class_count
    std_mean_pitch std_pitch_class_entropy std_mean_duration std_pcs std_on_beat_rate std_rest_rate"""
COLUMNS = ORDER.split()


def features(bars: Sequence[Bar], chords: Sequence[int]) -> list[float]:
    """The 43 numbers of a phrase, in the order of the columns."""
    per_bar, whole = scores_of_bars(bars, chords), phrase_scores(bars, chords)
    row = []
    for column in COLUMNS:
        if column in PHRASE_FEATURES:
            row.append(whole[PHRASE_FEATURES[column]])
            continue
        kind, name = column.split("_", maxsplit=1)
        values = [scores[BAR_NAMES.get(name, name)] for scores in per_bar]
        row.append(mean(values) if kind == "mean" else deviation(values))
    return row


# --- Music Energy Distance --------------------------------------------------------------------------------------------


def standardise(reference: Sequence[Sequence[float]], rows: Sequence[Sequence[float]]) -> list[list[float]]:
    """Columns by mean and deviation of the reference, cut at 6 deviations; what is not defined becomes 0."""
    result: list[list[float]] = [[] for _ in rows]
    for column in range(len(reference[0])):
        known = [row[column] for row in reference]
        middle, width = mean(known), deviation(known)
        for row, new in zip(rows, result, strict=True):
            z = (row[column] - middle) / max(width, 0.05 * max(abs(middle), 0.01))
            new.append(0.0 if math.isnan(z) else min(6.0, max(-6.0, z)))
    return result


def weights(family: str | None) -> list[float]:
    """Weight of every column: 1/sqrt(size of its family), or 1 inside the one family asked for and 0 outside."""
    if family is not None:
        return [float(column in FAMILIES[family]) for column in COLUMNS]
    size = {column: len(members) for members in FAMILIES.values() for column in members}
    return [1 / math.sqrt(size[column]) for column in COLUMNS]


Points = Sequence[Sequence[float]]


def by_double_loop(a: Points, b: Points) -> list[list[float]]:
    return [[math.sqrt(sum((x - y) ** 2 for x, y in zip(one, other, strict=True))) for other in b] for one in a]


def energy_distance(
    reference: Points,
    generated: Points,
    family: str | None = None,
    distances: Callable[[Points, Points], Sequence[Sequence[float]]] = by_double_loop,
) -> float:
    """(2A - B - C) / (2A) over the standardised, weighted rows; two rows at least on either side."""
    factors = weights(family)
    x, y = (
        [[w * z for w, z in zip(factors, row, strict=True)] for row in standardise(reference, rows)]
        for rows in (reference, generated)
    )
    across = mean(d for row in distances(x, y) for d in row)
    within = [mean(row[j] for i, row in enumerate(distances(points, points)) for j in range(i)) for points in (x, y)]
    return (2 * across - within[0] - within[1]) / (2 * across) if across else 0.0
