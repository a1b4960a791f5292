from pathlib import Path

import numpy as np

from reporting.phrase import Phrase
from reporting.trial_folder import TrialFolder, read_scores


def test_what_a_kill_left_half_written_is_swept_and_nothing_else(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    folder.write_state(b"good", best=True)
    whole = [folder.path / "config.json", folder.path / "checkpoint" / "state.pt"]
    folder.write_config({})
    halves = [folder.path / ".config.json.abc.tmp", folder.path / "checkpoint" / ".state.pt.abc.tmp"]
    for path in halves:
        path.write_bytes(b"hal")
    folder.sweep()
    assert not any(path.exists() for path in halves)
    assert all(path.exists() for path in whole)


def test_scores_come_back_line_by_line(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    rows = [{"bars": 1, "objective": np.float64(0.5)}, {"bars": 2, "objective": 0.4}]
    for row in rows:
        folder.append_scores(row)
    assert read_scores(folder.path) == rows
    assert read_scores(tmp_path / "none") == []


def test_lines_cut_off_by_a_crash_are_left_out(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    folder.append_scores({"bars": 1, "scores": {"note_count": 3}})
    with (folder.path / "scores.jsonl").open("a") as file:
        file.write('{"bars": 2, "scores": {"note_count": 4}')  # ends like a whole line
    folder.append_scores({"bars": 3})
    assert [row["bars"] for row in read_scores(folder.path)] == [1, 3]


def test_samples_are_replaced_by_newer_ones(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    for pitch in (60, 72):
        melody = np.full((8, 16), pitch, np.int8)
        folder.write_samples([Phrase(music=melody, real=melody, chord=np.zeros(8, np.int8))])
    files = sorted(path.name for path in (folder.path / "samples").iterdir())
    assert files == ["sample-1.mid", "sample-1.png", "sample-1.wav"]


def test_a_line_is_appended_without_reading_those_before_it(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    size = 1 << 34  # a file of holes: to read it would take memory that no machine of ours has
    with (folder.path / "scores.jsonl").open("wb") as file:
        file.truncate(size)
    folder.append_scores({"bars": 1})
    with (folder.path / "scores.jsonl").open("rb") as file:
        file.seek(size)
        assert file.read() == b'\n{"bars": 1}\n'
