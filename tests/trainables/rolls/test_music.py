from dataclasses import replace

import numpy as np
import pytest
import torch

from data_prep.corpus import Corpus, Split
from data_prep.windows import WindowCorpus
from trainables.rolls.music import Melodies, Music, PianoMusic, music_of

CPU = torch.device("cpu")
DRAWS = 20_000
NEVER = -40.0


def with_rests(corpus: Corpus) -> Corpus:
    melody = corpus.melody.copy()
    melody[::3, 4:8] = -1
    return replace(corpus, melody=melody)


def drawn(music: Music, odds: dict[int, float], temperature: float = 1.0) -> torch.Tensor:
    """Share of 20,000 draws in which each key sounds, the keys having these odds."""
    logits = torch.full((DRAWS, 128), NEVER)
    for key, value in odds.items():
        logits[:, key] = float(np.log(value))
    sample = music.sample(logits, temperature=temperature, noise=torch.Generator().manual_seed(0))
    assert set(sample.unique().tolist()) <= {0.0, 1.0}
    if isinstance(music, Melodies):
        assert sample.sum(1).max() == 1
    return sample.mean(0)


def test_without_rests_one_key_sounds_in_proportion_to_its_odds(corpus: Corpus) -> None:
    share = drawn(Melodies(corpus, CPU), {60: 1.0, 67: 3.0})
    assert share.sum() == pytest.approx(1)
    assert share[60] == pytest.approx(1 / 4, abs=0.015)


def test_with_rests_silence_has_odds_of_one(corpus: Corpus) -> None:
    share = drawn(Melodies(with_rests(corpus), CPU), {60: 1.0, 67: 3.0})
    assert share[60] == pytest.approx(1 / 5, abs=0.015)
    assert share[67] == pytest.approx(3 / 5, abs=0.015)


def test_this_is_what_independent_keys_do_given_that_at_most_one_sounds(corpus: Corpus) -> None:
    odds = torch.tensor([0.5, 2.0, 0.25])
    keys = torch.rand(200_000, 3, generator=torch.Generator().manual_seed(1)) < odds / (1 + odds)
    alone = keys[keys.sum(1) <= 1].float().mean(0)
    share = drawn(Melodies(with_rests(corpus), CPU), dict(zip((50, 60, 70), odds.tolist(), strict=True)))
    torch.testing.assert_close(share[[50, 60, 70]], alone, atol=0.015, rtol=0)


def test_keys_of_a_piano_sound_each_by_itself(window_corpus: WindowCorpus) -> None:
    share = drawn(PianoMusic(window_corpus, CPU), {60: 1.0, 67: 3.0})
    assert share[60] == pytest.approx(1 / 2, abs=0.015)
    assert share[67] == pytest.approx(3 / 4, abs=0.015)
    assert share.sum() == pytest.approx(5 / 4, abs=0.03)


def test_temperature_divides_the_log_odds(music: Corpus | WindowCorpus) -> None:
    warm = drawn(music_of(music, CPU), {60: 1.0, 67: 9.0}, temperature=2.0)
    plain = drawn(music_of(music, CPU), {60: 1.0, 67: 3.0})
    torch.testing.assert_close(warm, plain, atol=0.02, rtol=0)


def test_lines_come_back_as_they_were(corpus: Corpus) -> None:
    rests = with_rests(corpus)
    for bars in (corpus, rests):
        music = Melodies(bars, CPU)
        roll = music.prompt(bars.melody[:8])
        assert roll.shape == (8, 16, 128)
        np.testing.assert_array_equal(music.write(roll)[:, 0], bars.melody[:8])
        assert torch.equal(music.notes(roll), roll)
    assert (rests.melody[:8] == -1).any()


def test_bars_are_written_in_order_of_time(corpus: Corpus) -> None:
    music = Melodies(corpus, CPU)
    phrases = corpus.melody[corpus.phrases(Split.TRAIN)[:3]]
    written = music.write(music.rolls(music.windows(Split.TRAIN)[:3]).float())
    np.testing.assert_array_equal(written, phrases)
    assert written.dtype == np.int8


def test_silence_is_written_only_where_the_corpus_has_some(corpus: Corpus) -> None:
    faint = torch.full((1, 16, 128), 1e-3)
    assert (Melodies(corpus, CPU).write(faint) >= 0).all()
    assert (Melodies(with_rests(corpus), CPU).write(faint) == -1).all()
    assert not Melodies(with_rests(corpus), CPU).notes(faint).any()


def test_velocities_come_back_where_they_reach_half_the_median(window_corpus: WindowCorpus) -> None:
    music = PianoMusic(window_corpus, CPU)
    rows = window_corpus.rows(Split.TRAIN)
    rolls = window_corpus.rasterise(rows)
    sounding = np.concatenate(
        [window_corpus.velocity[window_corpus.first_note[row] : window_corpus.end_note[row]] for row in rows]
    )
    half = np.median(sounding) / 2
    assert music.loudness == pytest.approx(2 * half / 127)
    assert (rolls[rolls > 0] < half).any()
    written = music.write(torch.from_numpy(rolls).float() / 127)
    assert written.dtype == np.uint8
    np.testing.assert_array_equal(written.reshape(rolls.shape), np.where(rolls >= half, rolls, 0))


def test_a_prompt_of_velocities_is_what_sounds(window_corpus: WindowCorpus) -> None:
    bar = window_corpus.rasterise(window_corpus.rows(Split.TEST))[:, :16]
    assert torch.equal(PianoMusic(window_corpus, CPU).prompt(bar), torch.from_numpy(bar > 0).float())


def test_loudness_and_register_are_of_training_songs_alone(window_corpus: WindowCorpus, corpus: Corpus) -> None:
    others = ~np.isin(np.arange(len(window_corpus.pitch)), notes_of(window_corpus, Split.TRAIN))
    assert others.any()
    changed = replace(
        window_corpus,
        velocity=np.where(others, 127, window_corpus.velocity).astype(np.uint8),
        pitch=np.where(others, 1, window_corpus.pitch).astype(np.uint8),
    )
    one, two = PianoMusic(window_corpus, CPU), PianoMusic(changed, CPU)
    assert (one.loudness, one.register) == (two.loudness, two.register)
    assert one.register == (36, 95)
    melody = corpus.melody.copy()
    melody[corpus.rows(Split.TEST)] = 1
    training = corpus.melody[corpus.rows(Split.TRAIN)]
    assert Melodies(replace(corpus, melody=melody), CPU).register == (training.min(), training.max())


def notes_of(corpus: WindowCorpus, split: Split) -> np.ndarray:
    rows = corpus.rows(split)
    return np.concatenate([np.arange(corpus.first_note[row], corpus.end_note[row]) for row in rows])
