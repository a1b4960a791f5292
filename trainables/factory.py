"""From a name and settings to a system that can be trained."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from data_prep.windows import WindowCorpus
from trainables.memory import within_memory
from trainables.midinet import MidiNet
from trainables.rolls.gan import Gan
from trainables.rolls.lstm import Lstm
from trainables.rolls.options import GanNetwork, LstmNetwork, VaeNetwork
from trainables.rolls.vae import Vae
from trainables.systems import described, system_of
from trainables.variants import Variant

Music = Corpus | WindowCorpus

_FAMILIES: Mapping[type, Any] = {Variant: MidiNet, LstmNetwork: Lstm, VaeNetwork: Vae, GanNetwork: Gan}


@runtime_checkable
class System(Protocol):
    """What every system can do."""

    bars_seen: int
    """Bars shown to the optimisers so far."""

    def train(self, until: int) -> dict[str, float]:
        """Train until `bars_seen` has reached `until`; means of the losses, not finite where training diverged."""
        ...

    def generate(self, first_bar: NDArray[Any], chord: NDArray[np.int8], *, seed: int) -> NDArray[Any]:
        """Phrases over the chords (M, B, 4) of their beats.

        On a corpus of bars `first_bar` holds pitches (M, 16), and so do phrases, int8 (M, B, 16), -1 for silence; on
        one of windows, velocities, uint8 (M, 16, 128) and (M, B, 16, 128), 0 for silence.
        """
        ...

    def diagnose(self, *, seed: int) -> dict[str, float]:
        """What there is to say of two players (`trainables.diagnostics`); nothing of a system that is none."""
        ...

    @property
    def cancelled_spectral_norms(self) -> list[str]:
        """Layers whose spectral normalisation has no effect."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on as if training had never stopped."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from `state`."""
        ...


def build(
    system: str, settings: Mapping[str, Any], music: Music, *, seed: int, horizon: int, device: str = "cpu"
) -> System:
    """The system of that name, with what `settings` change, ready to be trained on `music`.

    Args:
        system: a name out of `SYSTEMS`.
        settings: fields of its network and of its numbers, flat.
        music: a corpus of bars, or one of windows for lstm, vae and gan.
        seed: decides weights, noise and the order of the music.
        horizon: bars of the full budget, which schedules refer to.
        device: of the networks.

    Raises:
        UserError: names or values that cannot be, music that the system cannot learn from, or too little memory.
    """
    parts = described(system, settings)
    if isinstance(parts.network, Variant) and not isinstance(music, Corpus):
        raise UserError(
            f"{system_of(system, settings)} learns from bars with chords, but this corpus holds windows of piano "
            "music: choose lstm, vae or gan, or another corpus."
        )
    family = _FAMILIES[type(parts.network)]
    with within_memory():
        built: System = family(parts.network, parts.config, music, seed=seed, device=device, horizon=horizon)
    return built
