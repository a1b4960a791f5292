"""Where systems are trained; there may be no GPU here, so what can be said of one without it."""

from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from data_prep.corpus import Corpus
from data_prep.errors import UserError
from trainables.device import device_of, device_of_share
from trainables.factory import build
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import Generator
from trainables.variants import VARIANTS, Variant

# What a GPU would have to be waited for: a number read off it, or a shape that depends on numbers.
WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "equal", "unique")


def test_auto_is_a_gpu_where_this_process_sees_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of("auto") == "cuda"


def test_one_of_several_gpus_can_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert device_of("cuda:1") == "cuda:1"
    with pytest.raises(UserError, match="device is 'cuda:2', but PyTorch sees 2 of that kind here"):
        device_of("cuda:2")


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_a_device_that_is_not_here_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UserError, match=f"device is '{name}', but PyTorch sees 0 of that kind here"):
        device_of(name)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "cpu:"])
def test_what_is_no_device_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="There is no device"):
        device_of(name)


@pytest.mark.parametrize(
    ("gpus", "device", "shares"), [(None, "cuda", []), (0.0, "cpu", []), (0.25, "cuda", [0.25]), (1.0, "cuda", [])]
)
def test_a_share_of_a_gpu_is_a_share_of_its_memory(
    gpus: float | None, device: str, shares: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[float] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_per_process_memory_fraction", taken.append)
    assert device_of_share(gpus) == device
    assert taken == shares


class Waits(TorchDispatchMode):
    """Notes each operation on numbers of a network that a GPU would have to be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        # Counts of updates are whole numbers on the CPU, whatever the networks are on: to read them is no wait.
        if func._schema.name.removeprefix("aten::") in WAITS and args[0].is_floating_point():
            self.found.append(str(func))
        return func(*args, **(kwargs or {}))


def test_a_wait_would_be_seen() -> None:
    with Waits() as waits:
        torch.ones(()).item()
        torch.ones(3).nonzero()
    assert len(waits.found) == 2


@pytest.mark.parametrize("system", ["baseline", "combined", "spectral_gd_as_committed", "mlp"])
def test_training_never_waits_for_the_device_within_the_loop(system: str, corpus: Corpus) -> None:
    trained = build(system, {"batch_size": 4, "r1": 1.0, "instance_noise": 0.1}, corpus, seed=0, horizon=1_000)
    reads = []
    for steps in (1, 5):
        with Waits() as waits:
            trained.train(trained.bars_seen + steps * 12)
        reads.append(len(waits.found))
    assert reads[0] == reads[1] <= 12  # the means at the end, however many steps there were


@pytest.mark.parametrize("variant", [*VARIANTS.values(), Variant(bars=2, chords_per_bar=4)], ids=[*VARIANTS, "longer"])
def test_both_players_run_where_there_are_shapes_but_no_numbers(variant: Variant) -> None:
    # Anything made on the CPU in passing, or read, would fail here as it would on a GPU.
    with torch.device("meta"):
        bar = torch.zeros(4, variant.steps, 128)
        chord = torch.zeros(4, variant.num_chords, dtype=torch.int64)
        noise = torch.zeros(4, 100)
    generator, discriminator = Generator(variant).to("meta"), Discriminator(variant).to("meta")
    made = generator(noise, bar, chord)
    logit, _ = discriminator(made, bar, chord)
    assert (made.device.type, logit.device.type) == ("meta", "meta")
    assert (made.shape, logit.shape) == (bar.shape, (4,))
