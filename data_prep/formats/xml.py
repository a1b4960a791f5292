"""Plain and compressed XML files to an element tree, within limits and without entities."""

import io
import xml.etree.ElementTree as ET
import zipfile
import zlib
from typing import Any, Final
from xml.parsers import expat

from data_prep.errors import UserError

MAX_BYTES: Final = 64 * 2**20
"""Largest file read, counted after unzipping."""


_SCORES: Final = (".xml", ".musicxml")


class _PrologOverError(Exception):
    """The first element was reached without an entity declaration."""


def parse_xml(data: bytes) -> ET.Element:
    """The root element of an XML file or of the score in an `.mxl` archive (any encoding expat knows).

    UserError for what is too large when unzipped, damaged, not well-formed, or declares entities.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            data = _unzip_score(data)
        return _parse(data)
    except (ET.ParseError, expat.ExpatError, LookupError) as error:
        raise UserError(f"not well-formed XML ({error}).") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UserError(f"a damaged .mxl archive ({error}).") from error
    except ValueError as error:
        raise UserError(str(error)) from error


def _unzip_score(data: bytes) -> bytes:
    """The first file that META-INF/container.xml names, as the format lays down."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = archive.namelist()
        if "META-INF/container.xml" not in names:
            raise ValueError("no META-INF/container.xml in the archive; it is no compressed MusicXML.")
        path = _named_score(_member(archive, "META-INF/container.xml"))
        if path is None:
            # Programs write an apostrophe in a title into a single-quoted attribute: then the only score is meant.
            scores = [name for name in names if not name.startswith("META-INF/") and name.lower().endswith(_SCORES)]
            path = scores[0] if len(scores) == 1 else None
        if path not in names:
            raise ValueError(f"its container names {str(path)[:80]!r}, which is not in the archive.")
        return _member(archive, str(path))


def _named_score(container: bytes) -> str | None:
    """The path in the container, None where that is not well-formed."""
    try:
        root = _parse(container)
    except (ET.ParseError, expat.ExpatError):
        return None
    return next((item.get("full-path") for item in root.iter() if item.tag.endswith("rootfile")), "")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    with archive.open(name) as file:
        # The size in the directory may lie, so the read itself is what is capped.
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"over {MAX_BYTES} bytes when unzipped; that much is not read.")
    return data


def _parse(data: bytes) -> ET.Element:
    _refuse_entities(data)
    return ET.fromstring(data)


def _refuse_entities(data: bytes) -> None:
    """ValueError where the DOCTYPE declares an entity: scores never need one, bombs always do."""

    def declared(*_: Any) -> None:
        raise ValueError("its DOCTYPE declares entities; remove them.")

    def over(*_: Any) -> None:
        raise _PrologOverError

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    parser.StartElementHandler = over
    try:
        parser.Parse(data, True)
    except _PrologOverError:
        return
