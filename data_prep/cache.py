"""Prepared corpora in the user's cache folder, one per content of the music, edition of its reader and options."""

import hashlib
import json
from pathlib import Path

from platformdirs import user_cache_path

from data_prep.errors import UserError
from data_prep.folder import digest_inside
from data_prep.kinds import load, save
from data_prep.options import Options
from data_prep.pool import Progress
from data_prep.prepare import prepare_found
from data_prep.source import Found, Source
from data_prep.store import FORMAT


def cached(
    source: Source,
    path: Path | None = None,
    options: Options | None = None,
    *,
    jobs: int = 1,
    progress: Progress | None = None,
) -> Path:
    """Folder of the corpus of the music at `path`, prepared first where it is absent or damaged.

    Safe in several processes at once: each would write the same bytes, and every file lands whole.
    """
    options = options or source.defaults
    found = source.find(path)
    folder = cache_folder(source, found, options)
    try:
        load(folder)
    except UserError:
        corpus = prepare_found(source, found, options, jobs=jobs, progress=progress)
        try:
            save(corpus, folder)
        except UserError as error:
            place = "set XDG_CACHE_HOME to a folder that can, or prepare it with python -m data_prep"
            raise UserError(f"The cache cannot be written: {error} For that, {place}.") from error
    return folder


def cache_folder(source: Source, found: Found, options: Options) -> Path:
    """Where the corpus of these files with these options lies, or will. Music that moved is the same music."""
    content = _content(found) if source.takes_path else ""
    key = json.dumps([FORMAT, source.versions(), source.choices(options), content], sort_keys=True)
    name = f"{source.name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    return user_cache_path("well-tempered-gan") / "corpora" / name


def _content(found: Found) -> str:
    total = hashlib.sha256()
    for item in found.items:
        for path in item.paths:
            try:
                content = digest_inside(found.root, path)
            except UserError as error:
                content = str(error)
            total.update(json.dumps([path, content, item.split]).encode())
    total.update(json.dumps([[skipped.path, skipped.reason] for skipped in found.skipped]).encode())
    return total.hexdigest()
