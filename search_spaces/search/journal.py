"""The file that a study lives in, which neither a kill nor a full disk may spoil."""

import contextlib
import json
import os
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import get_lock_file  # holds the lock as its own `append_logs` does

STUDY_FILE: Final = "study.journal"
_LINE_BREAK: Final = b"\n"
_BLOCK: Final = 65_536


class SoundJournal(JournalFileBackend):
    """Optuna's journal, in which a line is whole or not there.

    Optuna appends to whatever stands at the end, and cannot read a journal in which a cut line is followed by others.
    """

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append after the last whole line; on a full disk take back what was written of it.

        Raises:
            OSError: there is no room.
        """
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with get_lock_file(self._lock), Path(self._file_path).open("r+b", buffering=0) as raw:
            file = cast(BinaryIO, raw)
            end = _whole_lines(file)
            try:
                file.truncate(end)
                _write(file, lines.encode())
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(end)
                raise


def mend(run: Path) -> None:
    """Take off a line that a kill cut short, and a lock that it left behind.

    For the one process that searches in this run (`search_spaces.run.run_lock`), before it opens the study: others that
    only read the journal need no lock.
    """
    path = run / STUDY_FILE
    path.with_name(STUDY_FILE + ".lock").unlink(missing_ok=True)
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(_whole_lines(file))


def _write(file: BinaryIO, data: bytes) -> None:
    """Write at the end; a disk that fills up takes a part, and refuses the rest."""
    file.seek(0, os.SEEK_END)
    while data:
        data = data[file.write(data) :]


def _whole_lines(file: BinaryIO) -> int:
    """Bytes up to the end of the last whole line."""
    end = file.seek(0, os.SEEK_END)
    while end > 0:
        start = max(0, end - _BLOCK)
        file.seek(start)
        at = file.read(end - start).rfind(_LINE_BREAK)
        if at >= 0:
            return start + at + 1
        end = start
    return 0
