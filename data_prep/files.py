"""Files of a corpus: written whole or not at all, read within limits and never as pickles."""

import io
import json
import os
import stat
import tempfile
import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from data_prep.errors import UserError

MAX_BYTES: Final = 2**31
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_SMALL: Final = 2**26
_DENSEST: Final = 200
"""How many times smaller a file of over _SMALL bytes may be than what is in it: music is 5 times, zeros are 1,000."""
_READ_AT_ONCE: Final = 2**16


def write_atomic(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step: a crash leaves what was there before."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o644)  # mkstemp's 0600 would keep a shared cache to one user
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part."""
    write_atomic(path, (json.dumps(content, indent=2, default=float) + "\n").encode())


def read_limited(path: Path, most: int = MAX_BYTES) -> bytes:
    """The bytes of a regular file of at most `most` of them; UserError for anything else."""
    try:
        return read_regular(path, most)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error


def read_regular(path: Path, most: int) -> bytes:
    """The same, with the path left out of the error."""
    try:
        _check_regular(path.stat(), most)  # first: to open a pipe or a device may already do something to it
        # What lies there may be another file by now: a pipe must not block, and no size is believed.
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb", buffering=0) as file:
            info = os.fstat(file.fileno())
            _check_regular(info, most)
            data = _up_to(most + 1, file, info.st_size + 1)
    except OSError as error:
        raise UserError(f"cannot be read ({error.strerror})") from error
    if len(data) > most:
        raise UserError(f"over {most} bytes; at most {most} are read")
    return data


def _check_regular(info: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise UserError("not a regular file")
    if info.st_size > most:
        raise UserError(f"{info.st_size} bytes; at most {most} are read")


def _up_to(most: int, file: IO[bytes], expected: int) -> bytes:
    parts = []
    while most and (part := file.read(min(most, expected))):
        parts.append(part)
        most, expected = most - len(part), _READ_AT_ONCE
    return b"".join(parts)


def pack_npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    """An `.npz` whose bytes depend on the arrays alone: `np.savez` would store the time of day."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            npy.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _LONG_AGO)
            info.create_system = 3  # the same on every platform
            archive.writestr(info, member.getvalue(), zipfile.ZIP_DEFLATED, 6)
    return packed.getvalue()


def unpack_npz(path: Path, dtypes: dict[str, str]) -> dict[str, NDArray[Any]]:
    """The arrays named in `dtypes`, read-only. UserError for a damaged file and for other names or dtypes."""
    data = read_limited(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = sorted(info.filename for info in archive.infolist())
            if names != sorted(f"{name}.npy" for name in dtypes):
                raise ValueError(f"it holds {', '.join(names)[:200]}, not {', '.join(dtypes)}")
            if not {info.compress_type for info in archive.infolist()} <= set(_METHODS):
                raise ValueError("it is packed in another way than by deflate")
            most = min(MAX_BYTES, max(_SMALL, _DENSEST * len(data)))
            if sum(info.file_size for info in archive.infolist()) > most:
                raise ValueError(f"over {most} bytes when unzipped")
            return {name: _member(archive, name, np.dtype(dtype)) for name, dtype in dtypes.items()}
    except (ValueError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        reason = str(error).replace("\n", " ")
        raise UserError(f"{path}: no sound corpus ({reason}); prepare it again.") from error


def _member(archive: zipfile.ZipFile, name: str, dtype: np.dtype[Any]) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        shape, fortran, stored = _header(file)
        if stored != dtype or fortran:
            raise ValueError(f"{name} is {stored}, not {dtype} in C order")
        # The header may promise any size: only the bytes that are there are ever allocated.
        body = file.read(MAX_BYTES)
    sound = all(type(size) is int and size >= 0 for size in shape)
    if not sound or len(body) != int(np.prod(shape, dtype=object)) * dtype.itemsize:
        raise ValueError(f"{name} has {len(body)} bytes, which do not fill its shape {shape}")
    return np.frombuffer(body, dtype).reshape(shape)


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    if npy.read_magic(file) != (1, 0):
        raise ValueError("an array header of another version than 1.0")
    try:
        return npy.read_array_header_1_0(file)
    except (TypeError, LookupError, SyntaxError, tokenize.TokenError) as error:
        raise ValueError("an array header that is none") from error
