"""Event files are read back by TensorBoard, whatever happened while they were written."""

import errno
import os
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import summary_pb2

from reporting.event_file import EventFile


def scalar(value: float) -> summary_pb2.Summary:
    return summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag="objective", simple_value=value)])


def read(folder: Path) -> list[tuple[int, float]]:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return [(event.step, event.value) for event in accumulator.Scalars("objective")]


def test_a_summary_can_be_read_at_once(tmp_path: Path) -> None:
    file = EventFile(tmp_path / "trial")
    file.add(scalar(0.5), 10)
    assert read(tmp_path / "trial") == [(10, 0.5)]
    file.add(scalar(0.25), 20)
    file.close()
    assert read(tmp_path / "trial") == [(10, 0.5), (20, 0.25)]


def test_a_later_file_takes_back_points_of_an_earlier_one(tmp_path: Path) -> None:
    for purge_step, values in ((None, {10: 0.5, 20: 0.75}), (11, {20: 0.25})):
        file = EventFile(tmp_path, purge_step=purge_step)
        for step, value in values.items():
            file.add(scalar(value), step)
        file.close()
    assert read(tmp_path) == [(10, 0.5), (20, 0.25)]


def test_a_full_disk_leaves_no_half_record(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource", reason="needs limits of the system")
    file = EventFile(tmp_path)
    file.add(scalar(0.5), 10)
    (path,) = tmp_path.iterdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 8, limits[1]))
    try:
        with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
            file.add(scalar(0.75), 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    file.add(scalar(0.25), 30)
    file.close()
    assert read(tmp_path) == [(10, 0.5), (30, 0.25)]
