"""One word on how a trial fares, with the number that decided it.

The states are asked about in the order of `RULES`, from cause to effect: numbers that are none say nothing else; a
player that has won, or a signal that is gone, explains music that is poor. Whatever was not measured decides nothing.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from statistics import median
from typing import Final, Literal

State = Literal["healthy", "diverged", "d_wins", "g_wins", "vanishing", "copying", "collapsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Where alarm begins. Shares and probabilities, unless a unit is given."""

    loss: float = 1e6
    """Mean loss above which training has diverged, though its numbers are still finite."""

    d_accuracy: float = 0.9
    """Discriminator wins above, in training since the last evaluation and on held-out songs, if besides ..."""

    d_fake: float = 0.2
    """... the probability it gives to generated bars is below: the best of trials pass through .3 early on."""

    blind_accuracy: float = 0.55
    """Generator wins below, if besides ..."""

    blind_gradient: float = 0.1
    """... the gradient it learns from is below: .03 by an untrained discriminator, about 1 by one that teaches."""

    gradient_left: float = 0.01
    """Gradient has vanished below this share of its median over the trial's first three evaluations."""

    gradient: float = 1e-3
    """The same, whatever it was before."""

    copied_steps: float = 0.25
    """Generator copies if this much more of its steps are as in the bar before than of real ones."""

    copied_bars: float = 0.1
    """Copying in phrases: the same of whole bars (`copy_prev_rate`)."""

    memorised: float = 0.25
    """The same of windows that stand in the training music (`near_copy_rate`)."""

    noise_sensitivity: float = 0.02
    """Collapsed if fewer of the steps change with the noise."""

    pitches: float = 0.2
    """Collapsed if no more than this share of as many pitches as in real bars are left."""

    distinct_bars: float = 0.5
    """Collapsed if bars are unlike each other less than this share of how often real ones are."""

    duplicates: float = 0.2
    """Collapsed if this much more of the phrases end alike than of real ones (`dup_rate`)."""

    notes_per_step: float = 3.0
    """Remark above, in notes: probabilities add up to more than one voice."""

    rounding_gap: float = 0.1
    """Remark above: the discriminator knows generated bars by their not being notes."""

    d_overfit: float = 0.1
    """Remark above: the discriminator knows the training songs by heart."""

    d_chord_drop: float = 0.3
    """Remark above: the discriminator judges by chords rather than by notes."""

    statistics_gap: float = 0.25
    """Remark above: batch normalisation has other statistics in training than in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What is known at one evaluation of a trial; anything may be missing."""

    losses: Mapping[str, float] = field(default_factory=dict)
    """Means over training since the evaluation before."""

    diagnostics: Mapping[str, float] = field(default_factory=dict)
    """`trainables.diagnostics.diagnose`; nothing where there is no discriminator."""

    scores: Mapping[str, float] = field(default_factory=dict)
    """Scores of the phrases that the system wrote (`scores.SCORES`)."""

    real: Mapping[str, float] = field(default_factory=dict)
    """The same scores of real phrases."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, and the number that decided it beside its threshold."""

    state: State
    reason: str

    def __str__(self) -> str:
        return f"{self.state}: {self.reason}"


def verdict(history: Sequence[Evaluation], thresholds: Thresholds | None = None) -> Verdict:
    """The state of a trial at the last of its evaluations.

    The states after the first that holds, and what is wrong besides but makes no state, are remarks at the end of the
    reason.
    """
    if not history:
        return Verdict("healthy", "nothing is measured yet")
    case = _Case(history, thresholds or Thresholds())
    found = [(state, reason) for state, rule in RULES if (reason := rule(case))]
    if found and found[0][0] == "diverged":
        return Verdict(*found[0])
    remarks = [*(f"{state}: {reason}" for state, reason in found[1:]), *_remarks(case)]
    state, reason = found[0] if found else ("healthy", _no_alarm(case))
    return Verdict(state, "; also ".join([reason, *remarks]))


@dataclass(frozen=True, slots=True)
class _Case:
    """The history of a trial, in which a missing number is NaN: no comparison with it holds."""

    history: Sequence[Evaluation]
    limit: Thresholds

    @property
    def now(self) -> Evaluation:
        return self.history[-1]

    def diagnostic(self, name: str) -> float:
        return self.now.diagnostics.get(name, math.nan)

    def score(self, name: str) -> float:
        return self.now.scores.get(name, math.nan)

    def real_score(self, name: str) -> float:
        return self.now.real.get(name, math.nan)

    def loss_g(self) -> str:
        """How the generator's loss has gone, if it is known."""
        losses = [e.losses["loss_g"] for e in self.history if "loss_g" in e.losses]
        if not losses:
            return ""
        trend = f", {'rising' if losses[-1] > losses[-2] else 'falling'} from {losses[-2]:.2g}" if losses[1:] else ""
        return f"; loss_g {losses[-1]:.2g}{trend}"


def _diverged(case: _Case) -> str | None:
    for name, value in chain(case.now.losses.items(), case.now.diagnostics.items()):
        if not math.isfinite(value):
            return f"{name} is {value}"
    for name, value in case.now.losses.items():
        if name.startswith("loss") and abs(value) > case.limit.loss:
            return f"{name} is {value:.2g} (alarm above {case.limit.loss:.2g})"
    return None


def _d_wins(case: _Case) -> str | None:
    limit, accuracy, fake = case.limit, case.diagnostic("d_accuracy"), case.diagnostic("d_fake")
    lasting = case.now.losses.get("d_accuracy", accuracy)
    if accuracy > limit.d_accuracy and lasting > limit.d_accuracy and fake < limit.d_fake:
        right = f"the discriminator is right about {accuracy:.2f} of held-out bars (alarm above {limit.d_accuracy})"
        return f"{right}, and gives generated ones a probability of {fake:.2f} (below {limit.d_fake}){case.loss_g()}"
    return None


def _g_wins(case: _Case) -> str | None:
    limit, accuracy, gradient = case.limit, case.diagnostic("d_accuracy"), case.diagnostic("g_gradient")
    if accuracy < limit.blind_accuracy and gradient < limit.blind_gradient:
        right = f"the discriminator is right about {accuracy:.2f} of held-out bars (alarm below {limit.blind_accuracy})"
        return f"{right}, and its gradient is {gradient:.2g} (below {limit.blind_gradient})"
    return None


def _vanishing(case: _Case) -> str | None:
    limit, gradient = case.limit, case.diagnostic("g_gradient")
    if gradient < limit.gradient:
        return f"the gradient that the generator learns from is {gradient:.2g} (alarm below {limit.gradient})"
    first = [e.diagnostics["g_gradient"] for e in case.history[:3] if "g_gradient" in e.diagnostics]
    usual = median(first) if first else math.nan
    if gradient < limit.gradient_left * usual:
        return f"the gradient that the generator learns from is {gradient:.2g}, {_below(limit.gradient_left, usual)}"
    return None


def _below(share: float, usual: float) -> str:
    return f"where the trial began with {usual:.2g} (alarm below {share:g} of it)"


def _copying(case: _Case) -> str | None:
    rates = case.diagnostic("copy_rate"), case.diagnostic("real_copy_rate")
    return _excess("of steps are as in the bar before", *rates, case.limit.copied_steps)


def _collapsed(case: _Case) -> str | None:
    limit = case.limit
    noise = case.diagnostic("noise_sensitivity")
    if noise < limit.noise_sensitivity:
        return f"{noise:.3f} of steps change with the noise (alarm below {limit.noise_sensitivity})"
    pitches, usual = case.diagnostic("pitches"), case.diagnostic("real_pitches")
    if pitches <= limit.pitches * usual:
        return f"{pitches:.0f} pitches are left, {usual:.0f} in real bars (alarm at {limit.pitches * usual:.1f})"
    distinct, usual = case.diagnostic("distinct_bars"), case.diagnostic("real_distinct_bars")
    if distinct < limit.distinct_bars * usual:
        return (
            f"{distinct:.2f} of bars are new, {usual:.2f} of real ones (alarm below {limit.distinct_bars * usual:.2f})"
        )
    duplicates = case.score("dup_rate"), case.real_score("dup_rate")
    return _excess("of phrases end as another", *duplicates, limit.duplicates)


def _copying_in_phrases(case: _Case) -> str | None:
    limit = case.limit
    bars = case.score("copy_prev_rate"), case.real_score("copy_prev_rate")
    windows = case.score("near_copy_rate"), case.real_score("near_copy_rate")
    return _excess("of bars are the bar before", *bars, limit.copied_bars) or _excess(
        "of four-bar windows stand in the training music", *windows, limit.memorised
    )


def _excess(what: str, share: float, real: float, margin: float) -> str | None:
    if share > real + margin:
        return f"{share:.2f} {what}, {real:.2f} in real music (alarm above {real + margin:.2f})"
    return None


RULES: Final[tuple[tuple[State, Callable[[_Case], str | None]], ...]] = (
    ("diverged", _diverged),
    ("d_wins", _d_wins),
    ("g_wins", _g_wins),
    ("vanishing", _vanishing),
    ("copying", _copying),
    ("collapsed", _collapsed),
    ("copying", _copying_in_phrases),  # one that has collapsed repeats its bars, and well-known ones, as well
)
"""Each state with what finds it: the reason, or None. A state stands before those that it explains."""

_REMARKS: Final[Mapping[str, str]] = {
    "notes_per_step": "the output is blurred",
    "rounding_gap": "the discriminator knows generated bars by their not being notes",
    "d_overfit": "the discriminator knows the training songs by heart",
    "d_chord_drop": "the discriminator judges by chords",
    "statistics_gap": "batch normalisation has other statistics in use",
}
"""What is wrong where a diagnostic is above its threshold, though it makes no state."""


def _remarks(case: _Case) -> list[str]:
    return [
        f"{text} ({name} {value:.2f}, alarm above {limit})"
        for name, text in _REMARKS.items()
        if (value := case.diagnostic(name)) > (limit := getattr(case.limit, name))
    ]


def _no_alarm(case: _Case) -> str:
    limit = case.limit
    numbers = (
        ("noise_sensitivity", case.diagnostic("noise_sensitivity"), f"below {limit.noise_sensitivity}"),
        ("dup_rate", case.score("dup_rate"), f"above {case.real_score('dup_rate') + limit.duplicates:.2f}"),
        (
            "copy_prev_rate",
            case.score("copy_prev_rate"),
            f"above {case.real_score('copy_prev_rate') + limit.copied_bars:.2f}",
        ),
    )
    known = [f"{name} {value:.2f} (alarm {rule})" for name, value, rule in numbers if not math.isnan(value)]
    return ", ".join([*_standing(case), *known]) or "nothing that could be wrong is measured"


def _standing(case: _Case) -> list[str]:
    """The discriminator's accuracy, and where that alone would be an alarm, what speaks against it."""
    limit, accuracy = case.limit, case.diagnostic("d_accuracy")
    if math.isnan(accuracy):
        return []
    told = f"d_accuracy {accuracy:.2f}"
    if accuracy > limit.d_accuracy:
        lasting, fake = case.now.losses.get("d_accuracy", accuracy), case.diagnostic("d_fake")
        if lasting <= limit.d_accuracy:
            return [
                f"{told}, but {lasting:.2f} over the training before (alarm where both are above {limit.d_accuracy})"
            ]
        return [f"{told}, but d_fake {fake:.2f} (alarm below {limit.d_fake})"]
    if accuracy < limit.blind_accuracy:
        gradient = case.diagnostic("g_gradient")
        return [f"{told}, but g_gradient {gradient:.2g} (alarm below {limit.blind_gradient})"]
    return [f"{told} (alarms below {limit.blind_accuracy} and above {limit.d_accuracy})"]
