"""How two players learn: losses, noise, regularisers, schedules and averages, at the network as it is."""

from typing import Any

from optuna.trial import BaseTrial

from search_spaces.space import Known, Space
from trainables.systems import SYSTEMS

BETAS = ("0.5, 0.999", "0.5, 0.9", "0, 0.999", "0, 0.99", "0, 0.9")
"""Adam's two decays: MidiNet's first, those of SAGAN and WGAN-GP last."""


def suggest(trial: BaseTrial, system: str) -> dict[str, Any]:
    """Numbers that belong to one loss alone are asked for with it alone."""
    loss = trial.suggest_categorical("loss", ("bce", "hinge", "wgan_gp"))
    beta1, beta2 = map(float, trial.suggest_categorical("betas", BETAS).split(","))
    batch_size = trial.suggest_categorical("batch_size", (72, 144, 288))
    rate = trial.suggest_float("learning_rate", 5e-5, 1e-3, log=True)
    settings: dict[str, Any] = {
        "loss": loss,
        "beta1": beta1,
        "beta2": beta2,
        "batch_size": batch_size,
        # Adam's steps are as noisy as the batch is small: by the root of its size they come out alike.
        "learning_rate": rate * (batch_size / 72) ** 0.5,
        "learning_rate_ratio": trial.suggest_float("learning_rate_ratio", 0.1, 10, log=True),
        "learning_rate_end": trial.suggest_categorical("learning_rate_end", (1.0, 0.1, 0.0)),
        "initialisation": trial.suggest_categorical("initialisation", ("torch", "dcgan")),
        "r1": trial.suggest_categorical("r1", (0.0, 0.1, 1.0, 10.0)),
        "instance_noise": trial.suggest_categorical("instance_noise", (0.0, 0.05, 0.1, 0.2)),
        "average_decay": trial.suggest_categorical("average_decay", (0.0, 0.99, 0.999, 0.9995)),
    }
    if loss == "bce":
        settings["real_label"] = trial.suggest_float("real_label", 0.7, 1.0)
    if SYSTEMS[system].network.hears_chords:
        settings |= _of_midinet(trial, loss)
    return settings


def _of_midinet(trial: BaseTrial, loss: str) -> dict[str, Any]:
    matched = {name: trial.suggest_float(name, 1e-3, 1, log=True) for name in ("feature_weight", "mean_weight")}
    return matched | {
        "straight_through": trial.suggest_categorical("straight_through", (False, True)),
        "chord_gain": trial.suggest_categorical("chord_gain", (1.0, 16.0, 512.0)),
        "previous_dropout": trial.suggest_categorical("previous_dropout", (0.0, 0.25, 0.5)),
        "previous_noise": trial.suggest_categorical("previous_noise", (0.0, 0.1, 0.3)),
        **({"d_norm": "none"} if loss == "wgan_gp" else {}),  # as its penalty is of single bars
    }


_PAPER = {
    "loss": "bce",
    "betas": BETAS[0],
    "batch_size": 72,
    "learning_rate": 2e-4,
    "learning_rate_ratio": 1.0,
    "learning_rate_end": 1.0,
    "initialisation": "torch",
    "r1": 0.0,
    "instance_noise": 0.0,
    "straight_through": False,
    "average_decay": 0.999,
    "real_label": 0.9,
    "feature_weight": 0.1,
    "mean_weight": 0.01,
    "chord_gain": 512.0,
    "previous_dropout": 0.0,
    "previous_noise": 0.0,
}

SPACE = Space(
    title="losses, noise, regularisers, schedules and averages of both players",
    system="baseline",
    suggest=suggest,
    known=(
        Known(source="paper 5.1", parameters=_PAPER),
        Known(source="paper 5.1, MidiNet's own start", parameters=_PAPER | {"initialisation": "dcgan"}),
        Known(source="paper 5.1, decaying to 0", parameters=_PAPER | {"learning_rate_end": 0.0}),
    ),
    trials=48,
)
