"""A file of TensorBoard's events, written record by record, whole or not at all."""

import errno
import os
import socket
import struct
import time
from pathlib import Path
from typing import Any

import google_crc32c
from tensorboard.compat.proto import event_pb2


class EventFile:
    """A new file of events in `folder`.

    PyTorch's writer checks every byte in Python, in a thread for each file: it would be most of what a search does
    beside training.

    Args:
        folder: is made if it is not there.
        purge_step: points of earlier files in this folder from that step on do not count.
    """

    def __init__(self, folder: Path, *, purge_step: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # TensorBoard reads the files of a folder in the order of their names.
        path = folder / f"events.out.tfevents.{time.time():.6f}.{socket.gethostname()}.{os.getpid()}"
        self._file = path.open("xb", buffering=0)
        self._append(event_pb2.Event(file_version="brain.Event:2"))
        if purge_step is not None:
            start = event_pb2.SessionLog(status=event_pb2.SessionLog.START)
            self._append(event_pb2.Event(session_log=start, step=purge_step))

    def add(self, summary: Any, step: int = 0) -> None:
        """Append a summary, at once.

        Raises:
            OSError: there is no room; nothing of it is written.
        """
        self._append(event_pb2.Event(summary=summary, step=step))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, event: Any) -> None:
        event.wall_time = time.time()
        data = event.SerializeToString()
        head = struct.pack("<Q", len(data))
        record = head + struct.pack("<I", _masked(head)) + data + struct.pack("<I", _masked(data))
        before = self._file.tell()
        if self._file.write(record) < len(record):  # what follows half a record is never read
            self._file.seek(before)
            self._file.truncate()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _masked(data: bytes) -> int:
    """The checksum of a record, CRC-32C, as the file has it: turned by 15 bits, and added to."""
    checksum: int = google_crc32c.value(data)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
