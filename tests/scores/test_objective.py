import pickle
import warnings
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from data_prep.bars import piano_roll
from data_prep.errors import UserError
from scores import FEATURES, OBJECTIVES, SCORES, Reference, TrainingWindows, energy_distance, phrase_features
from scores.features import FAMILIES
from scores.objective import WORST, excess

Music = tuple[np.ndarray, np.ndarray]
Songbook = Callable[[int, int], Music]
Spoil = Callable[[np.ndarray, float, int], np.ndarray]

NUM = 200
NAN = float("nan")


def brute_force(x: np.ndarray, y: np.ndarray) -> float:
    def mean(pairs: list[tuple[np.ndarray, np.ndarray]]) -> float:
        return sum(float(np.sqrt(((p - q) ** 2).sum())) for p, q in pairs) / len(pairs)

    between = mean([(p, q) for p in x for q in y])
    within = [mean([(p, q) for i, p in enumerate(z) for j, q in enumerate(z) if i != j]) for z in (x, y)]
    return (2 * between - sum(within)) / (2 * between)


@pytest.fixture(scope="module")
def reference(songbook: Songbook) -> Reference:
    lines, chord = songbook(300, 1)
    return Reference.fit(piano_roll(lines), chord)


@pytest.fixture(scope="module")
def real(songbook: Songbook) -> Music:
    return songbook(NUM, 2)


def test_the_whole_recipe_by_another_way(songbook: Songbook) -> None:
    (ref_lines, ref_chord), (lines, chord) = songbook(30, 5), songbook(20, 6)
    lines = lines.copy()
    lines[0] = -1
    ref, gen = phrase_features(piano_roll(ref_lines), ref_chord), phrase_features(piano_roll(lines), chord)
    mean, sd = np.nanmean(ref, axis=0), np.nanstd(ref, axis=0)
    families = [feature.family for feature in FEATURES.values()]
    weight = np.array([families.count(family) ** -0.5 for family in families])
    floor = np.maximum(sd, 0.05 * np.maximum(abs(mean), 0.01))
    x, y = (np.nan_to_num(np.clip((f - mean) / floor, -6, 6)) for f in (ref, gen))
    report = Reference.fit(piano_roll(ref_lines), ref_chord).evaluate(piano_roll(lines), chord)
    overall = brute_force(x * weight, y * weight)
    assert report["realism"] == pytest.approx(overall, abs=1e-9)
    assert energy_distance(ref, gen) == pytest.approx(overall, abs=1e-9)
    for family in FAMILIES:
        columns = [i for i, other in enumerate(families) if other == family]
        inside = brute_force(x[:, columns], y[:, columns])
        assert report[f"med_{family}"] == pytest.approx(inside, abs=1e-9)
        assert energy_distance(ref, gen, family) == pytest.approx(inside, abs=1e-9)
    assert report["worst_family"] == max(report[f"med_{family}"] for family in FAMILIES)


@pytest.mark.parametrize("shape", [(3, 42), (0, 43), (43,)])
def test_features_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"must be of shape \(phrases, 43\)"):
        energy_distance(np.zeros((3, 43)), np.zeros(shape))


def test_a_family_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="no family 'tempo': one of pitch, motion"):
        energy_distance(np.zeros((3, 43)), np.zeros((3, 43)), "tempo")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("rate", "base", "expected"),
    [(0.05, 0, 0), (1, 0, 1), (0.525, 0, 0.5), (0.5, 0.5, 0), (1, 0.9, 1), (1, 0.95, 0), (1, 1, 0), (NAN, 0, 0)],
)
def test_only_what_goes_beyond_real_music_and_a_margin_is_excess(rate: float, base: float, expected: float) -> None:
    assert excess(rate, base) == pytest.approx(expected)


def test_more_wrong_notes_are_always_worse(reference: Reference, real: Music, wrong_notes: Spoil) -> None:
    lines, chord = real
    spoilt = [piano_roll(wrong_notes(lines, share, 3)) for share in (0, 0.05, 0.2, 0.7, 1)]
    values = [reference.evaluate(roll, chord)["objective"] for roll in spoilt]
    assert abs(values[0]) < 0.01
    assert all(better + 0.02 < worse for better, worse in pairwise(values)), values


@pytest.mark.parametrize("kind", ["foreign bars", "copied bars", "silent bars", "shuffled steps"])
def test_real_is_better_than_mild_is_better_than_heavy(reference: Reference, real: Music, kind: str) -> None:
    lines, chord = real
    rng = np.random.default_rng(4)

    def spoilt(share: float) -> np.ndarray:
        bad = {
            "foreign bars": rng.permutation(lines.reshape(-1, 16)).reshape(lines.shape),
            "copied bars": np.repeat(lines[:, :1], 8, axis=1),
            "silent bars": np.full_like(lines, -1),
            "shuffled steps": rng.permuted(lines, axis=2),
        }[kind]
        hit = rng.random(lines.shape[:2]) < share
        hit[:, 0] = False
        return np.where(hit[..., None], bad, lines)

    good, mild, heavy = (reference.evaluate(piano_roll(spoilt(share)), chord)["objective"] for share in (0, 0.25, 1))
    assert good + 0.005 < mild < heavy - 0.02


def test_noise_and_silence_are_far_worse_than_spoilt_music(
    reference: Reference, real: Music, wrong_notes: Spoil
) -> None:
    lines, chord = real
    spoilt = reference.evaluate(piano_roll(wrong_notes(lines, 0.05, 3)), chord)["objective"]
    rng = np.random.default_rng(5)
    for noise in (rng.integers(0, 128, lines.shape), rng.integers(60, 84, lines.shape), np.full_like(lines, -1)):
        value = reference.evaluate(piano_roll(noise.astype(np.int8)), chord)["objective"]
        assert value > max(0.6, spoilt + 0.2)


def test_silence_after_the_prompt_is_nearly_the_worst_there_is(reference: Reference, real: Music) -> None:
    lines, chord = real
    lines = np.where(np.arange(8)[:, None] == 0, lines, -1).astype(np.int8)
    report = reference.evaluate(piano_roll(lines), chord)
    assert report["objective"] > 1.3
    assert report["med_rhythm"] > 0.6
    assert report["dup_rate"] == pytest.approx(1 - 1 / NUM)


def test_copies_of_the_training_music_are_as_bad_as_noise(songbook: Songbook, real: Music) -> None:
    lines, chord = songbook(300, 1)
    training, training_chord = songbook(NUM, 8)
    windows = np.concatenate([training[:, bar : bar + 4] for bar in range(5)])
    reference = Reference.fit(piano_roll(lines), chord, training=TrainingWindows.of_lines(windows))
    base = reference.base_line(piano_roll(real[0]), real[1])
    assert base.near_copy_rate < 0.1
    assert reference.evaluate(piano_roll(real[0]), real[1], base)["objective"] < 0.02
    copied = reference.evaluate(piano_roll(training + 2), (training_chord + 2) % 12 + training_chord // 12 * 12, base)
    assert copied["realism"] < 0.3
    assert copied["near_copy_rate"] > 0.9  # the other windows have too few notes to be counted as copies
    assert copied["objective"] > copied["realism"] + 0.85
    assert copied["diversity_deficit"] > 0.85


def test_a_set_that_reaches_a_part_of_the_music_alone_is_held_against_it(reference: Reference, real: Music) -> None:
    lines, chord = real
    some = np.arange(NUM) % 10
    base = reference.base_line(piano_roll(lines), chord)
    whole, part = (reference.evaluate(piano_roll(lines[rows]), chord[rows], base) for rows in (np.arange(NUM), some))
    assert whole["diversity_deficit"] == 0
    assert whole["recall_ratio"] == 1
    assert part["recall_ratio"] < 0.3 < part["diversity_deficit"]
    assert part["objective"] > part["realism"] + 0.8
    assert part["intra_set_distance"] < whole["intra_set_distance"]


def test_the_base_line_of_recall_is_what_other_songs_reach(songbook: Songbook) -> None:
    lines, chord = songbook(300, 1)
    song = np.arange(300) // 3  # three phrases of each song, the third of them prompts
    reference = Reference.fit(piano_roll(lines), chord, song=song)
    prompts = slice(2, None, 3)
    unaware = reference.base_line(piano_roll(lines[prompts]), chord[prompts])
    base = reference.base_line(piano_roll(lines[prompts]), chord[prompts], song[prompts])
    assert unaware.recall > base.recall > 0.5
    other, other_chord = songbook(100, 2)
    assert reference.evaluate(piano_roll(other), other_chord, base)["recall_ratio"] == pytest.approx(1, abs=0.15)


def test_a_reference_of_one_song_tells_none_apart(songbook: Songbook) -> None:
    lines, chord = songbook(60, 1)
    one = np.zeros(60, int)
    alone = Reference.fit(piano_roll(lines), chord, song=one)
    base = alone.base_line(piano_roll(lines[:30]), chord[:30], one[:30])
    unaware = Reference.fit(piano_roll(lines), chord).base_line(piano_roll(lines[:30]), chord[:30])
    assert base == unaware
    other, other_chord = songbook(40, 2)
    assert alone.evaluate(piano_roll(other), other_chord, base)["diversity_deficit"] < 1


@pytest.mark.parametrize("song", [np.zeros(5, int), np.zeros((6, 1), int), np.zeros(6)])
def test_songs_of_another_shape_are_refused(song: np.ndarray, songbook: Songbook) -> None:
    lines, chord = songbook(6, 1)
    for call in (Reference.fit, Reference.fit(piano_roll(lines), chord).base_line):
        with pytest.raises(ValueError, match=r"`song` must be integers of shape \(6,\)"):
            call(piano_roll(lines), chord, song=song)


def test_how_many_define_a_score_is_told_where_not_all_do(reference: Reference, real: Music) -> None:
    lines, chord = real[0].copy(), real[1]
    lines[:, 3] = -1
    report = reference.evaluate(piano_roll(lines), chord)
    assert report["pitch_class_entropy/n"] == 7 * NUM
    assert report["copy_prev_rate/n"] == 6 * NUM
    assert "note_count/n" not in report
    assert all(name.removesuffix("/n") in SCORES for name in report if name.endswith("/n"))


def test_notes_outside_the_register_of_the_training_music_are_reported(songbook: Songbook, real: Music) -> None:
    lines, chord = songbook(20, 1)
    low, high = int(real[0][real[0] >= 0].min()), int(real[0].max())
    reference = Reference.fit(piano_roll(lines), chord, register=(low, high))
    assert reference.evaluate(piano_roll(real[0]), real[1])["out_of_register_rate"] == 0
    higher = np.where(real[0] < 0, -1, real[0] + 12).astype(np.int8)
    assert reference.evaluate(piano_roll(higher), real[1])["out_of_register_rate"] > 0.05


def test_the_order_of_phrases_does_not_matter(reference: Reference, real: Music, wrong_notes: Spoil) -> None:
    lines, chord = real
    roll = piano_roll(wrong_notes(lines, 0.1, 3))
    order = np.random.default_rng(6).permutation(len(lines))
    assert reference.evaluate(roll[order], chord[order]) == pytest.approx(reference.evaluate(roll, chord), abs=1e-12)


def test_families_say_what_is_wrong(reference: Reference, real: Music) -> None:
    lines, chord = real
    report = reference.evaluate(piano_roll(np.repeat(lines[:, :1], 8, axis=1)), chord)
    families = {name: value for name, value in report.items() if name.startswith("med_")}
    assert max(families, key=families.__getitem__) == "med_structure"
    report = reference.evaluate(piano_roll(lines), (chord + 6) % 12)
    assert report["med_harmony"] > 0.3 > report["med_rhythm"] + 0.25


HOSTILE = {
    "nothing": np.zeros((0, 8, 16, 128), bool),
    "silence": np.zeros((5, 8, 16, 128), bool),
    "one silent phrase": np.zeros((1, 8, 16, 128), bool),
    "everything on": np.ones((5, 8, 16, 128), bool),
    "one held note": np.tile(np.arange(128) == 0, (5, 8, 16, 1)),
    "noise": np.random.default_rng(0).random((5, 8, 16, 128)) < 0.5,
    "one phrase": np.random.default_rng(0).random((1, 8, 16, 128)) < 0.01,
}


@pytest.mark.parametrize("chord", [0, 24])
@pytest.mark.parametrize("generated", HOSTILE)
@pytest.mark.parametrize("fitted", [None, *(kind for kind, roll in HOSTILE.items() if len(roll) > 1)])
def test_every_value_is_finite(reference: Reference, fitted: str | None, generated: str, chord: int) -> None:
    roll = HOSTILE[generated]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        if fitted is not None:
            reference = Reference.fit(HOSTILE[fitted], np.full(HOSTILE[fitted].shape[:2], chord))
        report = reference.evaluate(roll, np.full(roll.shape[:2], chord))
    assert all(np.isfinite(value) and type(value) is float for value in report.values())
    assert {*OBJECTIVES, *(f"med_{family}" for family in FAMILIES)} - {"balance"} <= set(report)


def test_scores_that_nothing_defines_are_absent(reference: Reference) -> None:
    report = reference.evaluate(HOSTILE["silence"], np.zeros((5, 8), int))
    assert {name for name in report if name in SCORES} == {
        *("note_count", "pitch_count", "pitch_class_count", "rest_rate", "polyphonic_rate", "empty_bar_rate"),
        *("inner_empty_rate", "groove_similarity", "distinct_bar_ratio", "dup_rate", "intra_set_distance"),
        *("step_agreement_lag1", "step_agreement_lag2", "step_agreement_lag4", "coverage_ratio"),
    }
    assert report["dup_rate"] == pytest.approx(0.8)


def test_nothing_is_worst(reference: Reference) -> None:
    report = reference.evaluate(HOSTILE["nothing"], np.zeros((0, 8), int))
    assert {name: report[name] for name in OBJECTIVES if name in report} == {
        name: value for name, value in WORST.items() if name != "balance"
    }


@pytest.mark.parametrize("num", [0, 1])
def test_a_reference_needs_two_phrases(num: int) -> None:
    with pytest.raises(UserError, match=f"{num} phrases"):
        Reference.fit(np.zeros((num, 8, 16, 128), bool), np.zeros((num, 8), int))


def test_a_reference_survives_pickling_and_stays_small(reference: Reference, real: Music) -> None:
    lines, chord = real
    data = pickle.dumps(reference)
    assert len(data) < 300 * len(FEATURES) * 8 + 5000
    copy = pickle.loads(data)
    assert copy.evaluate(piano_roll(lines), chord) == reference.evaluate(piano_roll(lines), chord)
