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
        if "META-INF/container.xml" not in archive.namelist():
            raise ValueError("no META-INF/container.xml in the archive; it is no compressed MusicXML.")
        container = _parse(_member(archive, "META-INF/container.xml"))
        paths = [item.get("full-path") for item in container.iter() if item.tag.endswith("rootfile")]
        if not paths or paths[0] not in archive.namelist():
            raise ValueError(f"its container names {paths[:1]}, which is not in the archive.")
        return _member(archive, str(paths[0]))


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
