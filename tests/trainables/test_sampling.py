"""Rollouts by stub generators whose music says which bar and which chord they were given."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from data_prep.chords import NUM_CHORDS
from trainables.batches import one_hot
from trainables.networks.generator import NOISE, Generator
from trainables.sampling import binarise, continue_bars
from trainables.variants import VARIANTS

LINE = np.array([60, 60, 62, 62, 64, 65, 67, 67, 72, 72, 71, 71, 69, 69, 60, 60], np.int8)
CLASSES = np.array([[0, 5, 7, 21, 24, 14, 3, 11], [1, 2, 3, 4, 5, 6, 7, 8]], np.int8)
CHORDS = np.repeat(CLASSES[..., None], 4, axis=2)


class SemitoneUp(nn.Module):
    def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        return previous.roll(1, dims=-1)


class ChordAsPitch(nn.Module):
    def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        return F.one_hot(chord[:, :1] + 40, 128).float().expand(-1, 16, -1)


class NoiseAsPitch(nn.Module):
    """Keeps what it was given; its output is nowhere near 0 or 1."""

    def __init__(self) -> None:
        super().__init__()
        self.previous: list[Tensor] = []
        self.noise: list[Tensor] = []

    def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        self.previous.append(previous.clone())
        self.noise.append(noise.clone())
        return torch.cat([noise, noise[:, :28]], 1).softmax(-1).unsqueeze(1).repeat(1, 16, 1)


def first_bars(count: int = 2) -> np.ndarray:
    return np.stack([LINE + m for m in range(count)])


def test_each_bar_follows_the_bar_directly_before_it() -> None:
    # Were bar k written after bar k - 2, every second bar would be the prompt again.
    found = continue_bars(SemitoneUp(), first_bars(), CHORDS, seed=0)
    expected = first_bars()[:, None, :] + np.arange(8)[None, :, None]
    np.testing.assert_array_equal(found, expected)


def test_bar_k_is_written_on_chord_k() -> None:
    found = continue_bars(ChordAsPitch(), first_bars(), CHORDS, seed=0)
    np.testing.assert_array_equal(found[:, 1:], np.repeat(CLASSES[:, 1:, None] + 40, 16, axis=2))


def test_the_first_bar_is_the_prompt_and_the_result_is_a_melody_array() -> None:
    found = continue_bars(ChordAsPitch(), first_bars(), CHORDS, seed=0)
    assert found.dtype == np.int8
    assert found.shape == (2, 8, 16)
    np.testing.assert_array_equal(found[:, 0], first_bars())


def test_what_is_fed_back_is_the_binary_bar_of_the_result() -> None:
    stub = NoiseAsPitch()
    found = continue_bars(stub, first_bars(), CHORDS, seed=0)
    assert len(stub.previous) == 7
    for k, previous in enumerate(stub.previous):
        assert torch.equal(previous, one_hot(torch.from_numpy(found[:, k])))
        assert torch.equal(previous.sum(-1), torch.ones(2, 16))
        assert set(previous.unique().tolist()) == {0.0, 1.0}


def test_a_silent_step_of_the_prompt_is_an_empty_row() -> None:
    stub, prompt = NoiseAsPitch(), first_bars()
    prompt[0, :4] = -1
    found = continue_bars(stub, prompt, CHORDS, seed=0)
    assert stub.previous[0][0, :4].sum() == 0
    assert stub.previous[0].sum() == 28
    np.testing.assert_array_equal(found[:, 0], prompt)


def test_every_bar_has_fresh_noise() -> None:
    stub = NoiseAsPitch()
    continue_bars(stub, first_bars(), CHORDS, seed=0)
    drawn = torch.stack(stub.noise)
    assert drawn.shape == (7, 2, NOISE)
    assert len(drawn.flatten(0, 1).unique(dim=0)) == 14


def test_the_seed_alone_decides_the_music() -> None:
    torch.manual_seed(1)
    first = continue_bars(NoiseAsPitch(), first_bars(), CHORDS, seed=3)
    torch.manual_seed(2)
    np.testing.assert_array_equal(continue_bars(NoiseAsPitch(), first_bars(), CHORDS, seed=3), first)
    assert (continue_bars(NoiseAsPitch(), first_bars(), CHORDS, seed=4) != first).any()


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.get_rng_state()
    continue_bars(NoiseAsPitch(), first_bars(), CHORDS, seed=3)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_prompts_are_not_written_to() -> None:
    prompt, chord = first_bars(), CHORDS.copy()
    prompt.flags.writeable = chord.flags.writeable = False
    continue_bars(SemitoneUp(), prompt, chord, seed=0)


@pytest.mark.parametrize(("mass", "silent"), [(0.0, True), (0.49, True), (0.51, False), (1.0, False)])
def test_a_step_is_silent_where_less_than_half_a_note_is_expected_and_the_corpus_has_rests(
    mass: float, silent: bool
) -> None:
    probability = torch.zeros(1, 16, 128)
    probability[..., 70], probability[..., 71] = 0.6 * mass, 0.4 * mass
    assert (binarise(probability, rests=True) == (-1 if silent else 70)).all()


def test_a_corpus_without_rests_gets_none_however_faint_the_notes() -> None:
    probability = torch.full((2, 16, 128), 1e-6)
    probability[..., 70] = 2e-6
    assert (binarise(probability, rests=False) == 70).all()


def test_rests_of_the_rollout_are_fed_back_as_empty_rows() -> None:
    class Faint(SemitoneUp):
        def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
            shifted = super().forward(noise, previous, chord)
            shifted[:, 8:] *= 0.4
            return shifted

    found = continue_bars(Faint(), first_bars(), CHORDS, seed=0, rests=True)
    assert (found[:, 1:, 8:] == -1).all()
    np.testing.assert_array_equal(found[:, 7, :8], first_bars()[:, :8] + 7)


@pytest.mark.parametrize("system", VARIANTS)
def test_in_eval_mode_a_bar_does_not_depend_on_its_neighbours_in_the_batch(system: str) -> None:
    torch.manual_seed(0)
    generator = Generator(VARIANTS[system])
    z, previous = torch.randn(8, NOISE), one_hot(torch.randint(60, 84, (8, 16)))
    chord = torch.randint(NUM_CHORDS, (8, 1))
    with torch.no_grad():
        generator(z, previous, chord)  # running statistics that are not the initial 0 and 1
        generator.eval()
        alone, together = generator(z[:1], previous[:1], chord[:1]), generator(z, previous, chord)
    torch.testing.assert_close(alone[0], together[0], rtol=1e-5, atol=1e-6)
    assert torch.equal(together, generator(z, previous, chord))


class ChordsAsPitches(nn.Module):
    """Writes each chord over the steps it is for, and keeps what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.previous: list[Tensor] = []

    def forward(self, noise: Tensor, previous: Tensor, chord: Tensor) -> Tensor:
        self.previous.append(bars_of(previous))
        return one_hot((30 + chord).repeat_interleave(previous.shape[1] // chord.shape[1], dim=1))


def bars_of(roll: Tensor) -> Tensor:
    return torch.where(roll.any(-1), roll.argmax(-1), -1)


@pytest.mark.parametrize("length", [1, 2, 4, 5, 8, 11])
@pytest.mark.parametrize("chords_per_bar", [1, 4])
@pytest.mark.parametrize("bars", [1, 2, 3])
def test_matrices_of_several_bars_follow_each_other_over_their_chords(
    bars: int, chords_per_bar: int, length: int
) -> None:
    chord = np.random.default_rng(length).integers(0, 24, (2, length, 4)).astype(np.int8)
    prompt = np.full((2, 16), 70, np.int8)
    stub = ChordsAsPitches()
    found = continue_bars(stub, prompt, chord, seed=0, bars=bars, chords_per_bar=chords_per_bar)
    heard = chord if chords_per_bar == 4 else np.repeat(chord[:, :, :1], 4, axis=2)
    expected = np.repeat(heard + 30, 4, axis=2)
    expected[:, 0] = 70
    np.testing.assert_array_equal(found, expected)
    before = np.concatenate([np.full((2, bars - 1, 16), -1), expected], axis=1)  # silence, then the phrase itself
    for matrix, previous in enumerate(stub.previous):
        np.testing.assert_array_equal(previous, before[:, matrix * bars : (matrix + 1) * bars].reshape(2, -1))
