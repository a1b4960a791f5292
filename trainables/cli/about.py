"""What there is to train: a line for every system, and the number of its weights."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from trainables.rolls.options import GanNetwork, LstmNetwork, VaeNetwork
from trainables.systems import SYSTEMS
from trainables.variants import Variant


class About(NamedTuple):
    """Where a system comes from, and what it is."""

    section: str
    text: str


ABOUT: Final[Mapping[str, About]] = MappingProxyType(
    {
        "lstm": About("3.1.1", "recurrent network: the keys of the next step from all steps before"),
        "vae": About("3.1.2", "variational autoencoder of whole windows of 128 steps"),
        "gan": About("3.1.3", "generator and discriminator of whole windows, without conditions"),
        "baseline": About("5.1", "MidiNet: the next bar from the bar before and its chord"),
        "embedding": About("5.2", "chords as learned vectors; one dense layer in G, four wide convolutions in D"),
        "spectral_d": About("5.3", "spectral normalisation of the discriminator's convolutions"),
        "spectral_gd": About("5.3", "spectral normalisation of both players"),
        "previous": About("5.4", "the discriminator sees the bar before, too"),
        "mlp": About("5.5", "four more dense layers at the discriminator's end"),
        "combined": About("5.6", "embedding, bar before to D, spectral normalisation; chords by the conditioner"),
        "embedding_on_baseline": About("5.2", "the embedding alone, on the baseline's networks"),
        "four_convolutions": About("5.2", "four convolutions in the discriminator, without the embedding"),
        "spectral_gd_as_committed": About(
            "5.3", "where the paper's code has it: not on dense layers, Frobenius at G's end"
        ),
        "combined_as_committed": About(
            "5.6", "as the paper's code: neither the bar before to D nor spectral normalisation"
        ),
        "mlp_as_committed": About("5.5", "as the paper's code: half of the bar before is dropped in training"),
    }
)
"""Section of "Generating Music with Deep Learning" (2020) and one line, for every system."""


def weights(network: Any) -> tuple[int, ...]:
    """Numbers that are learned: of generator and discriminator, or of the one network."""
    from trainables.networks.discriminator import Discriminator
    from trainables.networks.generator import Generator
    from trainables.rolls.gan import WindowDiscriminator, WindowGenerator
    from trainables.rolls.lstm import Recurrent
    from trainables.rolls.vae import Autoencoder

    made: dict[type, tuple[Any, ...]] = {
        Variant: (Generator, Discriminator),
        LstmNetwork: (Recurrent,),
        VaeNetwork: (Autoencoder,),
        GanNetwork: (WindowGenerator, WindowDiscriminator),
    }
    return tuple(sum(parameter.numel() for parameter in make(network).parameters()) for make in made[type(network)])


def told(counts: tuple[int, ...]) -> str:
    """The same in words: `G 530,625, D 263,290`."""
    names = ("G ", "D ") if len(counts) > 1 else ("",)
    return ", ".join(f"{name}{count:,}" for name, count in zip(names, counts, strict=True))


def rows() -> list[tuple[str, str, str, str]]:
    """Name, section, line and weights of every system."""
    return [
        (name, f"§{ABOUT[name].section}", ABOUT[name].text, told(weights(parts.network)))
        for name, parts in SYSTEMS.items()
    ]
