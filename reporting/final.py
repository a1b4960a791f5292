"""The last word on a search: the winner on songs that nothing was chosen by."""

import json
from pathlib import Path

from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.files import write_json
from data_prep.windows import WindowCorpus
from trainables.checkpoint import restored
from trainables.config import Budget
from trainables.judge import Judge


def on_test_songs(
    run: Path, trial: str, system: str, corpus: Corpus | WindowCorpus, *, budget: Budget
) -> dict[str, float]:
    """Scores of a trial's last generator on the test songs, kept as `test.json`: objective, families, all scores.

    Prompts and reference are those of the test songs, by which nothing was chosen before. To be asked once a search:
    what is chosen by these numbers is no longer tested by them.

    Args:
        run: folder of the search.
        trial: name of the trial.
        system: name of its system.
        corpus: what it was trained on, of either kind.
        budget: what it was given.

    Raises:
        UserError: the trial's configuration or checkpoint is missing or damaged, or the corpus has no two phrases of
            test songs.
    """
    folder = run / "trials" / trial
    try:
        settings = dict(json.loads((folder / "config.json").read_text(encoding="utf-8"))["settings"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{folder / 'config.json'} cannot be read ({type(error).__name__}).") from error
    winner = restored(folder / "checkpoint", system, settings, corpus, horizon=budget.bars)
    scores = Judge(corpus, rollouts=budget.rollouts, split=Split.TEST).evaluate(winner)
    write_json(run / "test.json", {"trial": trial, "scores": scores})
    return scores
