"""The balance of generator and discriminator: the paper's open question (§5.6).

* Rates are asked for as their geometric mean and their ratio, D over G, so that each can be read alone. The mean lies
  around the 2e-4 of the paper's code, from below the slowest known balance (MidiNet's) to the fastest (MuseGAN's). The
  ratio lies around 1, four times beyond the 4 of SAGAN on the one side and its mirror on the other, so that the best
  should not lie at an end.
* Updates of D : of G per step are those that anyone has used. Together with the ratio they say how far D moves for
  each step of G: 0.5 times in MidiNet, 0.8 to 5 times in image GANs. §5.6 argues for less, and nobody has searched it.
* The loss is varied, as what balances one does not balance another: cross-entropy with batch normalisation wants a
  slow D, hinge with spectral normalisation a fast one. Each loss comes with the decays of Adam that its authors use.
* Schedules, noise, averages and penalties are the business of `training`: they may help at any balance.

Balances that are known, but not of this space: StyleGAN3's (rates of weights that it rescales as it learns) and TTUR's
BEGAN (whose discriminator is an autoencoder).
"""

from collections.abc import Mapping
from typing import Any, Final

from optuna.trial import BaseTrial

from search_spaces.space import Known, Space
from trainables.systems import SYSTEMS

UPDATES: Final = ("1:2", "1:1", "2:1", "5:1")
"""Updates of the discriminator : of the generator, per step."""

SPECTRAL_NORMS: Final = ("none", "d_conv", "d_all", "g_all", "gd")

BETAS: Final[Mapping[str, tuple[float, float]]] = {"bce": (0.5, 0.999), "hinge": (0.0, 0.9), "wgan_gp": (0.0, 0.9)}
"""Adam's decays by the loss: MidiNet (Yang et al. 2017), SAGAN (Zhang et al. 2019), WGAN-GP (Gulrajani et al. 2017)."""


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Learning rates, updates and loss of any two players; of MidiNet's also what holds D back and what it sees."""
    d_updates, g_updates = trial.suggest_categorical("updates_d:g", UPDATES).split(":")
    loss = trial.suggest_categorical("loss", tuple(BETAS))
    settings: dict[str, Any] = {
        "learning_rate": trial.suggest_float("learning_rate", 3e-5, 1e-3, log=True),
        "learning_rate_ratio": trial.suggest_float("learning_rate_ratio", 1 / 16, 16, log=True),
        "d_updates": int(d_updates),
        "g_updates": int(g_updates),
        "loss": loss,
        "beta1": BETAS[loss][0],
        "beta2": BETAS[loss][1],
    }
    if SYSTEMS[system].network.hears_chords:
        settings["spectral_norm"] = trial.suggest_categorical("spectral_norm", SPECTRAL_NORMS)
        # A copy of the real bar before is a real bar: a discriminator that cannot see it is won over by copies (§5.5).
        settings["d_sees_previous"] = trial.suggest_categorical("d_sees_previous", (False, True))
        settings["d_norm"] = "none" if loss == "wgan_gp" else "batch"  # as the penalty is of single bars
    return settings


def _known(
    source: str,
    learning_rate: float,
    ratio: float,
    updates: str,
    *,
    loss: str = "bce",
    spectral_norm: str = "none",
    previous: bool = False,
) -> Known:
    parameters = {
        "learning_rate": learning_rate,
        "learning_rate_ratio": ratio,
        "updates_d:g": updates,
        "loss": loss,
        "spectral_norm": spectral_norm,
        "d_sees_previous": previous,
    }
    return Known(source=source, parameters=parameters)


SPACE = Space(
    title="learning rates of both players, their updates and loss, spectral norm, and what D sees",
    system="baseline",
    suggest=suggest,
    known=(
        _known("paper 5.1: equal rates", 2e-4, 1.0, "1:2"),
        _known("paper 5.3: spectral norm on D", 2e-4, 1.0, "1:2", spectral_norm="d_conv"),
        _known("paper 5.4: previous bar to D", 2e-4, 1.0, "1:2", previous=True),
        _known("paper 5.6: G learns faster", 2e-4, 0.25, "1:2"),
        _known("MidiNet's own code", 5e-5, 1.0, "1:2"),
        _known("SAGAN, BigGAN", 2e-4, 4.0, "1:1", loss="hinge", spectral_norm="gd"),
        _known("SNGAN", 2e-4, 1.0, "5:1", loss="hinge", spectral_norm="d_all"),
        _known("TTUR, WGAN-GP", (3e-4 * 1e-4) ** 0.5, 3.0, "1:1", loss="wgan_gp"),
        _known("MuseGAN", 1e-3, 1.0, "5:1", loss="wgan_gp"),
    ),
)
