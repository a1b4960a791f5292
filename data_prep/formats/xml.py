"""Plain and compressed XML files to an element tree, within limits and without what a DOCTYPE may declare."""

import io
import xml.etree.ElementTree as ET
import zipfile
import zlib
from typing import Final
from xml.parsers import expat

from data_prep.errors import UserError

MAX_BYTES: Final = 64 * 2**20
"""Largest file read, counted after unzipping."""
MAX_TAGS: Final = 1_000_000
"""Most tags read, those that close counted too; a string quartet by Beethoven has 370,000."""
MAX_ATTRIBUTES: Final = 1_000_000
"""Most attributes read; another quartet has 225,000."""
MAX_MEMBERS: Final = 10_000
"""Most files in an archive; a score comes with a container and a picture or two."""

_SCORES: Final = (".xml", ".musicxml")
_METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How files of an archive are packed, as MusicXML lays down. zipfile unpacks those of others without any limit."""


def parse_xml(data: bytes) -> ET.Element:
    """The root element of an XML file or of the score in an `.mxl` archive (any encoding expat knows).

    Names are as the file writes them, prefixes and all. UserError for what is too large when unzipped, damaged, not
    well-formed, or declares entities.
    """
    try:
        if zipfile.is_zipfile(io.BytesIO(data)):
            data = _unzip_score(data)
        return _parse(data)
    except (expat.ExpatError, LookupError) as error:
        raise UserError(f"not well-formed XML ({str(error)[:100]}).") from error
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UserError(f"a damaged .mxl archive ({str(error)[:100]}).") from error
    except ValueError as error:
        raise UserError(str(error)) from error


def _unzip_score(data: bytes) -> bytes:
    """The first file that META-INF/container.xml names, as the format lays down."""
    if data.count(b"PK\1\2") > MAX_MEMBERS:  # each has its entry in the directory
        raise ValueError(f"over {MAX_MEMBERS:,} files in the archive; that is no score.")
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
            raise ValueError(f"its container names {str(path)[:30]!r}, which is not in the archive.")
        return _member(archive, str(path))


def _named_score(container: bytes) -> str | None:
    """The path in the container, None where that is not well-formed."""
    try:
        root = _parse(container)
    except expat.ExpatError:
        return None
    return next((item.get("full-path") for item in root.iter() if item.tag.endswith("rootfile")), "")


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if archive.getinfo(name).compress_type not in _METHODS:
        raise ValueError(f"its {name[:30]!r} is packed in another way than by deflate; save it as .mxl anew.")
    with archive.open(name) as file:
        # The size in the directory may lie, so the read itself is what is capped.
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ValueError(f"over {MAX_BYTES} bytes when unzipped; that much is not read.")
    return data


def _parse(data: bytes) -> ET.Element:
    # Whatever the encoding, expat takes none in which these two signs have other bytes.
    for sign, most, what in ((b"<", MAX_TAGS, "tags"), (b"=", MAX_ATTRIBUTES, "attributes")):
        if data.count(sign) > most:
            raise ValueError(f"over {most:,} {what}; that many are not read.")
    # Not by ElementTree's own parser: that one has namespaces, and puts their names, however long, before every tag.
    tree, parser = ET.TreeBuilder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_declarations
    parser.StartElementHandler = tree.start
    parser.EndElementHandler = tree.end
    parser.CharacterDataHandler = tree.data
    parser.Parse(data, True)
    return tree.close()


def _refuse_declarations(_: str, system: str | None, public: str | None, inside: bool) -> None:
    """ValueError where the DOCTYPE declares something itself: scores never need that, bombs always do."""
    if inside:
        raise ValueError("its DOCTYPE declares entities or the like; remove what stands in its brackets.")
