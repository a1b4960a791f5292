"""What there is to train: a line for every system, and the number of its weights."""

from typing import Any

from trainables.rolls.options import GanNetwork, LstmNetwork, VaeNetwork
from trainables.systems import SYSTEMS
from trainables.variants import Variant


def weights(network: Any) -> tuple[int, ...]:
    """Numbers that are learned: of generator and discriminator, or of the one network."""
    from trainables.memory import within_memory
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
    with within_memory():
        return tuple(sum(each.numel() for each in make(network).parameters()) for make in made[type(network)])


def told(counts: tuple[int, ...]) -> str:
    """The same in words: `G 530,625, D 263,290`."""
    names = ("G ", "D ") if len(counts) > 1 else ("",)
    return ", ".join(f"{name}{count:,}" for name, count in zip(names, counts, strict=True))


def rows() -> list[tuple[str, str, str, str]]:
    """Name, section, line and weights of every system."""
    return [(name, f"§{parts.section}", parts.text, told(weights(parts.network))) for name, parts in SYSTEMS.items()]
