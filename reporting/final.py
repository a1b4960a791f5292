"""The last word on a search: the winner, or every finalist, on songs that nothing was chosen by."""

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, Final

from data_prep.corpus import Corpus, Split
from data_prep.errors import UserError
from data_prep.files import write_json
from data_prep.windows import WindowCorpus
from reporting.row import Row
from reporting.seeds import Configuration
from trainables.checkpoint import restored
from trainables.config import Budget
from trainables.editions import Editions, edition_of
from trainables.judge import Judge

TEST_FILE: Final = "test.json"
_INTERRUPTED: Final = "interrupted"
_FAULTS: Final = (OSError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tested:
    """What the test songs say of a configuration."""

    name: str
    objective: float | None
    """Mean over its seeds; None where no trial of it was judged."""
    sd: float | None
    """Over its seeds (n - 1); None of a single one."""
    count: int
    trials: list[str]
    """Those that were judged."""
    fault: str
    """Why another was not; empty where all were."""


class FinalJudge:
    """Scores the last generators of trials on the test songs, each once a run: `test.json` keeps what was found.

    Prompts and reference are those of the test songs, by which nothing was chosen before. What is chosen by these
    numbers is no longer tested by them.

    Args:
        run: folder of the search.
        system: that it searched.
        corpus: what all are judged by, of either kind. What the file holds of other music is asked again.
        music: what trials were trained on, if that is not the same for all.
        budget: what a trial was given.
    """

    def __init__(
        self,
        run: Path,
        system: str,
        corpus: Corpus | WindowCorpus,
        music: Editions | None = None,
        *,
        budget: Budget,
    ) -> None:
        self._run, self._system = run, system
        self._corpus, self._budget = corpus, budget
        self._music = corpus if music is None else music
        self._known = self._read()
        self._interrupted = False

    @cached_property
    def _judge(self) -> Judge:
        return Judge(self._corpus, rollouts=self._budget.rollouts, split=Split.TEST)

    def scores(self, trial: str) -> Mapping[str, float]:
        """Objective, families and all scores of a trial, by its name.

        Raises:
            UserError: its configuration or checkpoint is missing or damaged, or the corpus has no two phrases of test
                songs.
        """
        if trial not in self._known:
            folder = self._run / "trials" / trial
            edition = edition_of(self._music, _settings(folder))
            trained = restored(
                folder / "checkpoint", self._system, edition.settings, edition.music, horizon=self._budget.bars
            )
            self._known[trial] = self._judge.evaluate(edition.as_judged(trained, self._system))
            self._write({})
        return self._known[trial]

    def conclude(self, winner: Row, configurations: Sequence[Configuration]) -> list[Tested]:
        """Judge all trials of these configurations, and write down their means and which trial won.

        A trial that cannot be judged leaves the others as they are; Ctrl-C ends it with what was found so far.
        """
        told = []
        for each in configurations:
            fault = next(filter(None, (self._fault(trial) for trial in each.trials)), "")
            told.append(self._mean(each, fault))
        means = [asdict(mean) for mean in told]
        with contextlib.suppress(OSError):
            self._write({"winner": winner.name, "configurations": means})
        return told

    def _fault(self, trial: Row) -> str:
        """Judge a trial; why it could not be, or nothing."""
        if self._interrupted:
            return _INTERRUPTED
        try:
            self.scores(trial.name)
        except (OSError, UserError) as error:
            return str(error)
        except KeyboardInterrupt:
            self._interrupted = True
            return _INTERRUPTED
        return ""

    def _mean(self, each: Configuration, fault: str) -> Tested:
        names = [trial.name for trial in each.trials if trial.name in self._known]
        values = [self._known[name]["objective"] for name in names]
        sd = stdev(values) if len(values) > 1 else None
        mean = fmean(values) if values else None
        return Tested(name=each.name, objective=mean, sd=sd, count=len(values), trials=names, fault=fault)

    def _write(self, more: Mapping[str, Any]) -> None:
        told = {"corpus": self._corpus.digest, "rollouts": self._budget.rollouts, **more}
        write_json(self._run / TEST_FILE, told | {"trials": self._known})

    def _read(self) -> dict[str, Mapping[str, float]]:
        """What was found before; nothing of a file that is missing, damaged or of other music."""
        try:
            told = json.loads((self._run / TEST_FILE).read_text(encoding="utf-8"))
            same = (told["corpus"], told["rollouts"]) == (self._corpus.digest, self._budget.rollouts)
            trials = {str(name): dict(scores) for name, scores in told["trials"].items()}
            return {name: scores for name, scores in trials.items() if same and "objective" in scores}
        except _FAULTS:
            return {}


def _settings(folder: Path) -> dict[str, Any]:
    """What the trial set."""
    try:
        return dict(json.loads((folder / "config.json").read_text(encoding="utf-8"))["settings"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise UserError(f"{folder / 'config.json'} cannot be read ({type(error).__name__}).") from error
