"""The balance of generator and discriminator: the paper's open question (§5.6)."""

from typing import Any

from optuna.trial import BaseTrial

from search_spaces.space import Known, Space
from trainables.systems import SYSTEMS

UPDATES = ("1:2", "1:1", "2:1", "5:1")
"""Updates of the discriminator : of the generator, per step."""

SPECTRAL_NORMS = ("none", "d_conv", "d_all", "g_all", "gd")


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Geometric mean and ratio of the learning rates, rather than the two rates, so that either can be read alone."""
    d_updates, g_updates = trial.suggest_categorical("updates_d:g", UPDATES).split(":")
    settings: dict[str, Any] = {
        "learning_rate": trial.suggest_float("learning_rate", 3e-5, 1e-3, log=True),
        "learning_rate_ratio": trial.suggest_float("learning_rate_ratio", 1 / 16, 16, log=True),
        "d_updates": int(d_updates),
        "g_updates": int(g_updates),
    }
    if SYSTEMS[system].network.hears_chords:
        settings["spectral_norm"] = trial.suggest_categorical("spectral_norm", SPECTRAL_NORMS)
        # A copy of the real bar before is a real bar: a discriminator that cannot see it is won over by copies (§5.5).
        settings["d_sees_previous"] = trial.suggest_categorical("d_sees_previous", (False, True))
    return settings


def _known(
    source: str, learning_rate: float, ratio: float, spectral_norm: str, updates: str, *, previous: bool = False
) -> Known:
    parameters = {
        "learning_rate": learning_rate,
        "learning_rate_ratio": ratio,
        "spectral_norm": spectral_norm,
        "d_sees_previous": previous,
        "updates_d:g": updates,
    }
    return Known(source=source, parameters=parameters)


SPACE = Space(
    title="learning rates of both players, their updates, spectral norm, and what D sees",
    system="baseline",
    suggest=suggest,
    known=(
        _known("paper 5.1: equal rates", 2e-4, 1.0, "none", "1:2"),
        _known("paper 5.3: spectral norm on D", 2e-4, 1.0, "d_conv", "1:2"),
        _known("paper 5.4: previous bar to D", 2e-4, 1.0, "none", "1:2", previous=True),
        _known("paper 5.6: G learns faster", 2e-4, 0.25, "none", "1:2"),
        _known("MidiNet's own code", 5e-5, 1.0, "none", "1:2"),
        _known("SAGAN", 2e-4, 4.0, "gd", "1:1"),
        _known("SNGAN", 2e-4, 1.0, "d_all", "5:1"),
    ),
)
