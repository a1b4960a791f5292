from pathlib import Path

import numpy as np

from reporting.phrase import Phrase
from reporting.trial_folder import TrialFolder, read_scores


def test_the_newest_whole_checkpoint_stays_under_one_name(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    for number in (0, 1, 2):
        checkpoint = folder.path / f"checkpoint_{number:06d}"
        checkpoint.mkdir()
        (checkpoint / "state.pt").write_text(str(number))
    folder.settle_checkpoint("checkpoint_000001")  # the third was cut off
    assert (folder.path / "checkpoint" / "state.pt").read_text() == "1"
    assert [path.name for path in folder.path.iterdir()] == ["checkpoint"]


def test_a_later_checkpoint_takes_the_place_of_a_settled_one(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    for number in (0, 1):
        checkpoint = folder.path / f"checkpoint_{number:06d}"
        checkpoint.mkdir()
        (checkpoint / "state.pt").write_text(str(number))
        folder.settle_checkpoint(checkpoint.name)
    assert (folder.path / "checkpoint" / "state.pt").read_text() == "1"


def test_without_checkpoints_there_is_nothing_to_settle(tmp_path: Path) -> None:
    folder = TrialFolder(tmp_path / "0000")
    folder.settle_checkpoint("")
    assert not list(folder.path.iterdir())


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
