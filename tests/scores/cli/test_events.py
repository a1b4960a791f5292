"""Scores from note events: against muspy on real files, a roll drawn tick by tick, and the scores of one bar."""

import math
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scores.cli.events import EVENT_SCORES, Events, score_events
from scores.cli.song import read_song
from scores.registry import SCORES, score_bars

DATA = Path(__file__).parents[3].parent / "shared" / "data"
FOLDERS = {"nottingham": 12, "POP909": 4, "maestro-like": 3, "maestro-asap-nc": 3}
"""Folder of real music, and how many files of it are compared."""


def score(*notes: tuple[int, int, int], resolution: int = 480, num_bars: int = 1, key: int = 24) -> dict[str, float]:
    """Scores of notes (start, end, pitch)."""
    length = max(end for _, end, _ in notes)
    array = np.array(notes, np.int64)
    return score_events(Events(notes=array, resolution=resolution, length=length, num_bars=num_bars, key=key))


def files() -> list[Path]:
    found = []
    for folder, count in FOLDERS.items():
        paths = (path for path in sorted((DATA / folder).rglob("*.mid*")) if path.suffix in (".mid", ".midi"))
        found += list(islice(paths, count))
    return found


@pytest.mark.parametrize("path", files() or [None], ids=lambda path: path.name[-24:] if path else "none")
def test_a_real_file_scores_what_muspy_says(path: Path | None) -> None:
    muspy = pytest.importorskip("muspy", reason="muspy is not installed")
    if path is None:
        pytest.skip(f"no music at {DATA}")
    song = read_song(path, "none")
    music = muspy.read_midi(path)
    for track in music.tracks:
        track.annotations.clear()  # muspy lets a piece last to its last pedal, and not to its last note
    found = score_events(
        Events(notes=song.notes, resolution=song.resolution, length=song.length, num_bars=song.num_bars, key=song.key)
    )
    expected = {
        "pitch_count": muspy.n_pitches_used(music),
        "pitch_class_count": muspy.n_pitch_classes_used(music),
        "pitch_range": muspy.pitch_range(music),
        "pitch_entropy": muspy.pitch_entropy(music),
        "pitch_class_entropy": muspy.pitch_class_entropy(music),
        "scale_consistency": muspy.scale_consistency(music),
        "pitch_in_scale_rate": muspy.pitch_in_scale_rate(music, song.key % 12, "minor" if song.key > 11 else "major"),
        "polyphony": muspy.polyphony(music),
        "polyphonic_rate": muspy.polyphony_rate(music, threshold=1),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    assert found["note_count"] * song.num_bars == pytest.approx(sum(len(track.notes) for track in music.tracks))


NOTES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 25), st.sampled_from((0, 20, 60, 61, 72, 109, 127))),
    min_size=1,
    max_size=12,
)


@given(NOTES)
def test_time_is_counted_as_on_a_roll_drawn_tick_by_tick(notes: list[tuple[int, int, int]]) -> None:
    notes = [(start, start + length, pitch) for start, length, pitch in notes]
    roll = np.zeros((64, 128), bool)
    for start, end, pitch in notes:
        roll[start:end, pitch] = True
    found = score(*notes, resolution=4, num_bars=4)
    voices, length = roll.sum(axis=1), max(end for _, end, _ in notes)
    assert found["polyphony"] == pytest.approx(roll.sum() / np.count_nonzero(voices))
    assert found["polyphonic_rate"] == pytest.approx(np.count_nonzero(voices > 1) / length)
    assert found["rest_rate"] == pytest.approx(np.mean(voices == 0))
    weighted = sum(pitch * (end - start) for start, end, pitch in notes)
    assert found["mean_pitch"] == pytest.approx(weighted / sum(end - start for start, end, _ in notes))
    tops = {start: max(pitch for begin, _, pitch in notes if begin == start) for start, _, _ in notes}
    line = [tops[start] for start in sorted(tops)]
    leaps = [abs(after - before) for before, after in pairwise(line)]
    assert found.get("max_abs_interval") == (max(leaps) if leaps else None)
    assert found.get("mean_abs_interval", 0) == pytest.approx(sum(leaps) / len(leaps) if leaps else 0)


@given(NOTES, st.integers(0, 24))
def test_every_score_is_finite_and_in_its_range_or_absent(notes: list[tuple[int, int, int]], key: int) -> None:
    found = score(
        *((start, start + length, pitch) for start, length, pitch in notes), resolution=1, num_bars=20, key=key
    )
    assert set(found) <= set(EVENT_SCORES)
    assert all(math.isfinite(value) for value in found.values())
    shares = [value for name, value in found.items() if EVENT_SCORES[name][0] == "share"]
    assert all(-1e-12 <= share <= 1 + 1e-12 for share in shares)


@settings(max_examples=60)
@given(st.lists(st.integers(-1, 127), min_size=16, max_size=16).filter(lambda line: max(line) >= 0))
def test_a_bar_of_one_voice_scores_the_same_from_events_as_from_its_roll(line: list[int]) -> None:
    edges = [0, *(step for step in range(1, 16) if line[step] != line[step - 1]), 16]
    notes = [(120 * start, 120 * end, line[start]) for start, end in pairwise(edges) if line[start] >= 0]
    roll = (np.array(line)[:, None] == np.arange(128))[None]
    expected = score_bars(roll, np.array([24]), np.zeros_like(roll))
    found = score(*notes, key=0)
    found["polyphonic_rate"] *= notes[-1][1] / 1920
    for name in EVENT_SCORES:
        if name in ("mean_abs_interval", "max_abs_interval") and np.isnan(expected[name][0]):
            assert name not in found
            continue
        assert found.get(name, math.nan) == pytest.approx(float(expected[name][0]), nan_ok=True), name


def test_all_scores_have_the_names_of_the_registry() -> None:
    assert set(EVENT_SCORES) <= set(SCORES)


@pytest.mark.parametrize(
    ("tick", "on_beat", "off_eighth"),
    [
        (480, 1, 0),
        (480 + 30, 1, 0),
        (480 - 30, 1, 0),
        (480 + 31, 0, 0),
        (600, 0, 1),
        (600 - 30, 0, 1),
        (720, 0, 0),
        (640, 0, 0),
    ],
    ids=["on", "late", "early", "too late", "odd sixteenth", "early sixteenth", "eighth", "triplet"],
)
def test_a_played_onset_may_be_a_quarter_of_a_step_off(tick: int, on_beat: int, off_eighth: int) -> None:
    found = score((tick, tick + 60, 60))
    assert (found["on_beat_rate"], found["off_eighth_rate"]) == (on_beat, off_eighth)


def test_a_played_eighth_may_be_a_quarter_of_a_step_short() -> None:
    assert score((0, 210, 60), (480, 480 + 209, 60))["qualified_note_rate"] == 0.5


def test_repeated_notes_count_and_unisons_sound_once() -> None:
    repeated = score((0, 480, 60), (480, 960, 60))
    assert (repeated["note_count"], repeated["mean_ioi"], repeated["mean_abs_interval"]) == (2, 4, 0)
    unison = score((0, 480, 60), (0, 480, 60))
    assert (unison["note_count"], unison["polyphony"], unison["polyphonic_rate"]) == (2, 1, 0)
    assert "mean_ioi" not in unison


def test_the_scale_is_that_of_the_key() -> None:
    c_major = [(0, 480, pitch) for pitch in (60, 62, 64, 66)]
    assert [score(*c_major, key=key).get("pitch_in_scale_rate") for key in (0, 7, 21, 24)] == [0.75, 1, 0.75, None]
