"""How fast MidiNet trains, beside the convolutions it is drawn with and beside the products that this machine can do.

    python tests/benchmarks/bench_trainables.py            all systems of the paper
    python tests/benchmarks/bench_trainables.py --quick    fewer turns, and the baseline alone

A step is one update of the discriminator and two of the generator. Both forms take the very same one (`train_step`:
losses, fused Adam, moving average, batches) from the same weights, and must find the same losses. They take it in
turns, on one thread whose processor time is measured; every figure is the median of several turns. Where other
processes share the caches, single figures fall; ratios hardly do. "At most" is what the ratio would be if our step were
its matrix products alone, each as fast as the fastest product of the machine; under load it is told too high, as that
product is the best of all turns and the convolutions the median.
"""

import argparse
import math
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", MKL_NUM_THREADS="1")
sys.path.insert(0, str(Path(__file__).parents[2]))

import torch
from machine import processor  # beside this script
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from data_prep.corpus import Corpus, load
from data_prep.locate import resolve
from tests.trainables import correspondence
from tests.trainables.reference import ConvDiscriminator, ConvGenerator, planes
from trainables.batches import BarDealer
from trainables.config import TrainConfig
from trainables.means import Means
from trainables.networks.discriminator import Discriminator
from trainables.networks.generator import NOISE, Generator
from trainables.step import Players, train_step
from trainables.variants import VARIANTS

LEAST: Final[dict[tuple[str, int], int]] = {
    ("baseline", 72): 5,
    ("baseline", 288): 7,
    ("embedding", 72): 40,
    ("spectral_d", 72): 4,
    ("spectral_gd", 72): 4,
    ("previous", 72): 4,
    ("mlp", 72): 4,
    ("combined", 72): 4,
}
"""How many times as fast as the convolutions each system has to be, at which batch."""

SECONDS: Final = 20.0
"""What the turns of one system may take, the convolutions' and ours together."""

PEAK_SIZES: Final = (384, 512, 768, 1024)
STEPS_A_TURN: Final = 12

Row = tuple[str, str, str]


def main() -> None:
    """Measure everything and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="the baseline alone, in fewer turns")
    quick = parser.parse_args().quick
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    print(f"{processor()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; Python {platform.python_version()},")
    print(f"torch {version('torch')}, {torch.backends.cpu.get_cpu_capability()}; one thread")
    corpus = load(resolve("builtin"))
    for (name, batch), least in LEAST.items():
        if not quick or name == "baseline":
            for row in _system(corpus, name, batch, least, SECONDS / 4 if quick else SECONDS):
                print("{:<66} {:>24}   {}".format(*row), flush=True)


def _system(corpus: Corpus, name: str, batch: int, least: int, seconds: float) -> Iterator[Row]:
    ours, convolutions = _pair(corpus, name, batch)
    operations = _operations(ours)
    quick, slow, peak = _in_turns(ours, convolutions, seconds)
    speed, best = operations / quick, _peak_operations() / peak
    at_most = slow * best / operations  # with nothing but our products, each at the speed of the fastest
    yield f"{name}, batch {batch}: bars a second, each in three updates", f"{batch / quick:,.0f}", ""
    yield "  (the same with convolutions)", f"{batch / slow:,.0f}", ""
    yield "  convolutions / ours", f"{slow / quick:.1f}", f"{least} at least, {at_most:.1f} at most"
    share = f"{speed / 1e9:.1f} GFLOP/s, {100 * speed / best:.0f} %"
    yield f"  {operations / batch / 1e6:.1f} MFLOP a bar, of the {best / 1e9:.0f} GFLOP/s of a product", share, ""


def _pair(corpus: Corpus, name: str, batch: int) -> tuple[Callable[[], Means], Callable[[], Means]]:
    """A step of either form, from the same weights on the same batches."""
    variant = VARIANTS[name]
    torch.manual_seed(0)
    ours = Generator(variant), Discriminator(variant)
    convolutions = _ConvGenerator(variant), _ConvDiscriminator(variant)
    for fast, reference in zip(ours, convolutions, strict=True):
        correspondence.load(reference, fast)
    first, second = (_step(corpus, *players, batch) for players in (ours, convolutions))
    found, expected = first().read(), second().read()
    for loss in ("loss_d", "loss_g"):
        assert math.isclose(found[loss], expected[loss], rel_tol=0.02), (
            f"{name}: {loss} {found[loss]}, {expected[loss]}"
        )
    return first, second


def _step(corpus: Corpus, generator: nn.Module, discriminator: nn.Module, batch: int) -> Callable[[], Means]:
    config = TrainConfig(batch_size=batch)
    players, noise = Players(generator, discriminator, config), torch.Generator().manual_seed(0)
    bars = BarDealer(corpus, device=torch.device("cpu"), seed=0)

    def step() -> Means:
        means = Means()
        train_step(players, bars, noise, config, means)
        return means

    return step


class _ConvGenerator(ConvGenerator):
    """The reference as a player."""

    noise = NOISE


class _ConvDiscriminator(ConvDiscriminator):
    """The reference as a player, which can tell its first features without the rest."""

    def features(self, bar: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        """First layer's features."""
        rows = torch.stack([bar, previous] if self.variant.d_sees_previous else [bar], 1)
        if self.d_chord[0]:
            rows = torch.cat([rows, planes(self.chords(chord).flatten(1), rows)], 1)
        return F.leaky_relu(self.d_norm[0](self.d[0](rows)), 0.2)


def _operations(step: Callable[[], Any]) -> int:
    """Floating-point operations of a step's products; a multiplication and its addition are two."""
    counter = FlopCounterMode(display=False)
    with counter:
        step()
    return int(counter.get_total_flops())


def _in_turns(ours: Callable[[], Any], convolutions: Callable[[], Any], seconds: float) -> tuple[float, float, float]:
    """Seconds of a step of either form, and of the products of `_peak_operations` at the size that suits them best."""
    matrices = [torch.randn(size, size) for size in PEAK_SIZES]
    quick, slow, peak, end = [], [], [], time.monotonic() + seconds
    while len(slow) < 3 or time.monotonic() < end:
        ours()  # brings its weights back into the cache
        quick += [_seconds(ours) for _ in range(STEPS_A_TURN)]
        slow.append(_seconds(convolutions))
        peak.append(min(_seconds(lambda m=m: m @ m) * (PEAK_SIZES[0] / len(m)) ** 3 for m in matrices))
    return statistics.median(quick), statistics.median(slow), min(peak)


def _peak_operations() -> int:
    return int(2 * PEAK_SIZES[0] ** 3)


def _seconds(work: Callable[[], Any]) -> float:
    start = time.thread_time()
    work()
    return time.thread_time() - start


if __name__ == "__main__":
    main()
