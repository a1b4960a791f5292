import warnings
from collections.abc import Callable

import numpy as np

from data_prep.bars import piano_roll
from scores import FEATURES, SCORES, phrase_features, score_bars
from scores.features import FAMILIES

Songbook = Callable[[int, int], tuple[np.ndarray, np.ndarray]]


def test_columns_are_known_scores_of_known_families() -> None:
    assert set(FEATURES.values()) == set(FAMILIES)
    for name in FEATURES:
        assert name in SCORES or SCORES[name.partition("_")[2]].level == "bar"


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
    assert defined == {"empty_bar_rate", "mean_note_count", "std_note_count"}


def test_phrases_agree_with_their_bars(songbook: Songbook) -> None:
    lines, chord = songbook(20, 0)
    roll = piano_roll(lines)
    before = np.zeros_like(roll)
    before[:, 1:] = roll[:, :-1]
    flat = (-1, 16, 128)
    bars = score_bars(roll.reshape(flat), chord.reshape(-1), before.reshape(flat))
    features = dict(zip(FEATURES, phrase_features(roll, chord).T, strict=True))
    for name in FEATURES:
        statistic, _, score = name.partition("_")
        if name not in SCORES:
            function = np.nanmean if statistic == "mean" else np.nanstd
            np.testing.assert_allclose(features[name], function(bars[score].reshape(-1, 8), axis=1), atol=1e-12)
