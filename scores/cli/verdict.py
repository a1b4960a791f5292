"""What an objective is made of, and what its distance means beside music whose value is known."""

from collections.abc import Mapping
from typing import Final

from scores.objective import BaseLine, excess

_CHORD_MARKOV: Final = "a Markov chain over the same chords (.03)"
_NEAREST: Final = "the nearest real bars strung together (.05)"
_BLIND: Final = "a Markov chain blind to the chords, or random bars over the same chords (.2)"
_RANDOM: Final = "real bars in random order (.36)"
_NOISE: Final = "random notes (.78)"
_VERDICTS: Final = (
    (0.02, "hardly to be told from the reference"),
    (0.04, f"about as far as {_CHORD_MARKOV}"),
    (0.08, f"about as far as {_NEAREST}"),
    (0.15, f"further than {_NEAREST}, nearer than {_BLIND}"),
    (0.28, f"about as far as {_BLIND}"),
    (0.45, f"about as far as {_RANDOM}"),
    (0.65, f"further than {_RANDOM}, nearer than {_NOISE}"),
    (0.9, f"about as far as {_NOISE}"),
)
"""A distance, and what it is below that; the anchors are those of docs/scores.md."""
_AT_WORST: Final = f"further than {_NOISE}"


def verdict(report: Mapping[str, float], base: BaseLine, *, steady: bool = True) -> str:
    """The `objective` of a report as the sum that it is, and what the distance in it means.

    Args:
        report: of `Reference.evaluate`.
        base: what the report was evaluated beside.
        steady: whether there are so many phrases that small differences are known to be noise.
    """
    distance = report["realism"]
    parts = [f"{distance:.3f} distance", f"{excess(report['dup_rate'], base.dup_rate):.3f} repeated endings"]
    if "near_copy_rate" in report:
        parts.append(f"{excess(report['near_copy_rate'], base.near_copy_rate):.3f} copies")
    return f"objective {report['objective']:.3f} = {' + '.join(parts)}: distance {_meaning(distance, steady)}"


def _meaning(distance: float, steady: bool) -> str:
    words = next((words for limit, words in _VERDICTS if distance < limit), _AT_WORST)
    if distance >= _VERDICTS[0][0]:
        return f"{words}, as measured on the built-in corpus"
    return f"{words}; differences of about .02 are noise" if steady else words
