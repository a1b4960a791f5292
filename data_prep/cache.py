"""Prepared corpora in the user's cache folder, one per edition of the source and choice of options."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

from platformdirs import user_cache_path

from data_prep.assemble import Options
from data_prep.builtin import Progress, music21_version
from data_prep.corpus import FORMAT, load, save
from data_prep.errors import UserError
from data_prep.prepare import prepare_builtin


def builtin_folder(options: Options) -> Path:
    """Where the built-in corpus with these options lies, or will."""
    key = json.dumps([FORMAT, music21_version(), asdict(options)], sort_keys=True)
    name = f"builtin-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    return user_cache_path("well-tempered-gan") / "corpora" / name


def cached_builtin(options: Options | None = None, progress: Progress | None = None) -> Path:
    """Folder of the built-in corpus, prepared first where it is absent or damaged.

    Safe in several processes at once: each would write the same bytes, and every file lands whole.
    """
    options = options or Options()
    folder = builtin_folder(options)
    try:
        load(folder)
    except UserError:
        # One process: a second saves a second, but would need a __main__ guard in whatever script calls this.
        save(prepare_builtin(options, progress=progress), folder)
    return folder
