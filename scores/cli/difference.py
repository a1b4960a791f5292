"""How far a score of one set of phrases is from that of another."""

from typing import Final, NamedTuple

MOST: Final = 6.0
"""Differences are told up to this many standard deviations, as the objective takes them."""


class Difference(NamedTuple):
    """A score of two sets of phrases: means over the phrases, None where no phrase defines it.

    `difference` is generated less reference, in standard deviations of the reference's phrases, from -6 to 6.
    """

    score: str
    generated: float | None
    reference: float | None
    difference: float | None

    def told(self, decimals: int) -> str:
        """The difference: `+0.53 sd`, `over 6 sd above` or `over 6 sd below`; `-` where there is none."""
        if self.difference is None:
            return "-"
        if abs(self.difference) >= MOST:
            return f"over {MOST:g} sd {'above' if self.difference > 0 else 'below'}"
        return f"{self.difference:+.{decimals}f} sd"
