"""What a run takes on the disk."""

import contextlib
import os
from pathlib import Path


def disk_use(folder: Path) -> int:
    """Bytes of all files under `folder`; of one that goes while they are counted, none. Links are not followed."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(path, name).lstat().st_size
    return total
