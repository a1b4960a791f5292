"""From a named source to its corpus: the one place where reading and assembling meet."""

from data_prep import builtin
from data_prep.assemble import Options, assemble
from data_prep.corpus import Corpus


def prepare_builtin(
    options: Options | None = None, *, jobs: int = 1, progress: builtin.Progress | None = None
) -> Corpus:
    """The built-in corpus; the same for any number of processes. UserError where music21 is missing."""
    versions = {"music21": builtin.music21_version()}
    songs = builtin.read_songs(jobs, progress)
    return assemble(songs, options or Options(), source="builtin", versions=versions)
