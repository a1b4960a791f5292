import warnings
from collections import Counter
from collections.abc import Callable

import numpy as np

from data_prep.bars import piano_roll
from scores import FEATURES, SCORES, phrase_features, score_bars
from scores.features import FAMILIES

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


ORDER = """
phrase_pce phrase_scale_consistency phrase_range distinct_bar_ratio copy_prev_rate copy_first_rate sim_lag1 sim_lag2
sim_lag4 groove_all H4 empty_bar_rate mean_note_count mean_pitch_count mean_pitch_class_count mean_pitch_range
mean_mean_pitch mean_pitch_class_entropy mean_mean_duration mean_rest_rate mean_qualified_note_rate
mean_mean_abs_interval mean_max_abs_interval mean_scale_consistency mean_on_beat_rate mean_off_eighth_rate
mean_polyphony mean_chord_tone_rate mean_ctnctr mean_pcs mean_mctd mean_groove_similarity mean_step_agreement_prev
mean_pc_similarity_prev mean_join_interval std_note_count std_pitch_class_count std_mean_pitch std_pitch_class_entropy
std_mean_duration std_pcs std_on_beat_rate std_rest_rate
"""
"""The columns other tools rely on."""


def test_columns_are_known_scores_of_known_families_in_a_fixed_order() -> None:
    assert list(FEATURES) == ORDER.split()
    assert Counter(feature.family for feature in FEATURES.values()) == {
        "pitch": 14, "structure": 8, "rhythm": 13, "motion": 3, "harmony": 5
    }  # fmt: skip
    for name, feature in FEATURES.items():
        assert feature.family in FAMILIES
        assert feature.spread == name.startswith("std_")
        assert not feature.spread or SCORES[feature.score].bar


def test_means_and_deviations_leave_undefined_bars_out() -> None:
    line = np.full((1, 8, 16), -1, np.int8)
    line[0, 0] = 60
    line[0, 1] = [60, 62] * 8
    chord = np.zeros((1, 8), int)
    values = dict(zip(FEATURES, phrase_features(piano_roll(line), chord)[0], strict=True))
    assert values["empty_bar_rate"] == 0.75
    assert values["mean_note_count"] == 17 / 8
    assert values["std_note_count"] == np.std([1, 16, 0, 0, 0, 0, 0, 0])
    assert values["mean_pitch_class_entropy"] == values["std_pitch_class_entropy"] == 0.5
    assert values["mean_mean_duration"] == 8.5
    assert values["mean_mean_abs_interval"] == 2
    assert values["mean_chord_tone_rate"] == 0.75
    # Bar 2 agrees with bar 1 in half its steps, bar 3 with bar 2 in none; the others follow silence or nothing.
    assert values["mean_step_agreement_prev"] == 0.25
    assert values["copy_prev_rate"] == 0


def test_a_silent_phrase_has_undefined_columns_and_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        features = phrase_features(np.zeros((2, 8, 16, 128), bool), np.full((2, 8), 24))
    defined = {name for name, column in zip(FEATURES, features.T, strict=True) if not np.isnan(column).any()}
    assert defined == {
        *("distinct_bar_ratio", "sim_lag1", "sim_lag2", "sim_lag4", "groove_all", "empty_bar_rate"),
        *("mean_note_count", "mean_pitch_count", "mean_pitch_class_count", "mean_rest_rate"),
        *("std_note_count", "std_pitch_class_count", "std_rest_rate"),
    }


def test_phrases_agree_with_their_bars(songbook: Songbook) -> None:
    lines, chord = songbook(20, 0)
    roll = piano_roll(lines)
    before = np.zeros_like(roll)
    before[:, 1:] = roll[:, :-1]
    flat = (-1, 16, 128)
    bars = score_bars(roll.reshape(flat), chord.reshape(-1), before.reshape(flat))
    features = dict(zip(FEATURES, phrase_features(roll, chord).T, strict=True))
    for name, feature in FEATURES.items():
        if SCORES[feature.score].bar and feature.score != "ctnctr":  # whose next note may lie in the next bar
            function = np.nanstd if feature.spread else np.nanmean
            values = bars[feature.score].reshape(-1, 8)
            np.testing.assert_allclose(features[name], function(values, axis=1), atol=1e-12, err_msg=name)
