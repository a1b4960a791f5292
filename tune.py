"""The search: parse, plan, run, name the winner and the next command."""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_prep.errors import UserError
from data_prep.files import write_json
from search_spaces.run.cluster import check_address
from search_spaces.run.options import check_options, new_plan, parser
from search_spaces.run.plan import INTERRUPTED, OUT_OF_TIME, PLAN_FILE, PROVENANCE_FILE, Plan
from search_spaces.run.ray_start import set_up_ray, start_ray
from search_spaces.run.resources import Packing
from search_spaces.run.resume import resumed_plan
from search_spaces.run.run_lock import locked
from search_spaces.search.journal import STUDY_FILE, mend
from search_spaces.space import Space
from search_spaces.space_file import is_file_name

if TYPE_CHECKING:
    from rich.console import Console

    from reporting.leaderboard import Row
    from search_spaces.run.stages import Stage
    from search_spaces.search.searcher import LedgerSearcher
    from trainables.editions import Editions
    from trainables.factory import Music


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit status."""
    try:
        arguments = parser().parse_args(argv)
        check_options(arguments)
        resumes = arguments.resume is not None
        plan, space = resumed_plan(arguments) if resumes else new_plan(arguments)
        check_address(plan.address)
        set_up_ray(plan.address)  # before Ray is imported
        if arguments.dry_run:
            _dry_run(plan, space, arguments.price)
            return 0
        if not resumes:
            plan.make_folder()
            write_json(plan.run / PLAN_FILE, plan.as_json(space))  # at once: a kill while it starts can be resumed
        try:
            with locked(plan.run):
                mend(plan.run)
                return _search(plan, space, resumes=resumes, force=arguments.force)
        except KeyboardInterrupt:
            begun = (plan.run / STUDY_FILE).exists()
            print("Interrupted." + (f" Go on with: {_going_on(plan)}" if begun else ""), file=sys.stderr)
            return 130
        finally:
            if not resumes:
                plan.drop_folder()
    except UserError as error:
        print(f"tune.py: error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        told = f"{error.filename}: " if error.filename else ""
        print(f"tune.py: error: {told}{error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130


def _dry_run(plan: Plan, space: Space, price: float | None) -> None:
    """Print the plan, and what it would cost by a few measured steps."""
    import ray

    from reporting.forecast import here, probes
    from search_spaces.run.cost import cost
    from trainables.judge import Judge

    print(plan.as_text(space))
    _, corpus, _ = _music(plan, space, _console())
    judge = Judge(corpus, rollouts=space.budget.rollouts, early_rollouts=space.budget.early_rollouts)
    packing = start_ray(plan)
    try:
        there = ray.remote(num_cpus=packing.cpus, num_gpus=packing.gpus)(here)  # where trials would train
        away = {} if plan.address == "local" else {"measure": lambda *told: ray.get(there.remote(*told))}
        measured = probes(space, corpus, judge, trials=plan.trials, **away)
    finally:
        ray.shutdown()
    batches = [plan.batch(word, space) for word in plan.protocol]
    told = cost(measured, batches, concurrency=packing.concurrency, time_budget=plan.time_budget, price=price)
    print(told.as_text())


def _search(plan: Plan, space: Space, *, resumes: bool, force: bool) -> int:
    from reporting.anchors import anchors
    from reporting.conclusion import conclude_search
    from reporting.forecast import disk
    from search_spaces.run.disk import check_room
    from search_spaces.run.resume import check_same, fingerprints
    from trainables.judge import Judge

    start, console = time.monotonic(), _console()
    folder, corpus, music = _music(plan, space, console)
    marks = fingerprints(space, corpus.digest)
    changed = check_same(plan.run, marks, force=force) if resumes else []
    judge = Judge(corpus, rollouts=space.budget.rollouts, early_rollouts=space.budget.early_rollouts)
    ended = _standing(plan) if resumes else Counter[str]()
    tight = check_room(plan.run, disk(space, corpus, judge, trials=max(0, plan.all_trials - ended.total())))
    for remark in filter(None, (tight, judge.remark)):
        console.print(f"Remark: {remark}")
    scale = anchors(corpus, judge)
    packing = start_ray(plan)
    try:
        _write_down(plan, space, folder, corpus, packing, marks, changed)
        run = Run(plan, space, packing, console, scale)
        console.print(f"Search: {plan.all_trials} trials of {space.budget.bars:,} bars, {packing.told}")
        if resumes:
            told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(ended.items()))
            console.print(f"It goes on in {plan.run}: {told or 'no trial had begun'}")
        ending, lines = run.search({"corpus": music.bare(), "judge": judge, "budget": space.budget})
    finally:
        import ray

        ray.shutdown()
    minutes = (time.monotonic() - start) / 60
    told = ending[:1].upper() + ending[1:] or "Done"
    console.print(f"{told} after {minutes:.1f} minutes.")
    if ending:
        console.print(f"  go on        {_going_on(plan)}")
    conclude_search(plan, space, corpus, music, ending, lines, console)
    return {"": 0, OUT_OF_TIME: 0, INTERRUPTED: 130}.get(ending, 1)


def _going_on(plan: Plan) -> str:
    """The command by which a run goes on."""
    from reporting.conclusion import quoted

    named = f" --space {quoted(Path(plan.space))}" if is_file_name(plan.space) else ""
    return f"python tune.py --resume {quoted(plan.run)}{named}"


def _console() -> "Console":
    from rich.console import Console

    return Console(soft_wrap=True, markup=False, emoji=False, highlight=False)


def _music(plan: Plan, space: Space, console: "Console") -> "tuple[Path, Music, Editions]":
    """Folder and corpus that all are judged by, and what trials learn from."""
    from data_prep.pool import cores
    from reporting.progress import shown_on
    from trainables.editions import prepare_editions

    with shown_on(console, "Reading the music, this first time") as progress:
        folder, corpus, music = prepare_editions(plan.data, space.data_variants(), progress, jobs=cores())
    console.print(f"Music: {corpus.told} in {folder}")
    return folder, corpus, music


def _write_down(
    plan: Plan,
    space: Space,
    folder: Path,
    corpus: "Music",
    packing: Packing,
    marks: dict[str, str],
    changed: list[str],
) -> None:
    """The plan, and where the run comes from or what of it has changed."""
    from reporting.provenance import provenance, went_on
    from search_spaces.run.resume import FINGERPRINTS

    write_json(plan.run / PLAN_FILE, plan.as_json(space))
    if (plan.run / PROVENANCE_FILE).exists():
        went_on(plan.run / PROVENANCE_FILE, changed, {FINGERPRINTS: marks})
        return
    sources = provenance(
        corpus_digest=corpus.digest,
        corpus_folder=folder,
        seeds={"search": plan.seed, "training": plan.seed},
        resources=packing.resources,
        device="cuda" if packing.gpus else "cpu",
    )
    write_json(plan.run / PROVENANCE_FILE, sources | {FINGERPRINTS: marks})


def _standing(plan: Plan) -> "Counter[str]":
    """How the trials of a run that goes on stand."""
    from search_spaces.run.stages import all_records

    counted = Counter(record.outcome.value for record in all_records(plan.run))
    counted["cut off by a kill"] = counted.pop("running", 0)
    return +counted


class Run:
    """A search on a Ray that runs: its stages one after the other, and one reporter for all of them."""

    def __init__(self, plan: Plan, space: Space, packing: Packing, console: Any, anchors: Any) -> None:
        from reporting.callbacks import RunReporter
        from reporting.terminal import Terminal
        from search_spaces.run.waiting import Waiting
        from search_spaces.search.study import Records
        from search_spaces.search.tuning import Interruption

        self.plan, self.space, self.packing = plan, space, packing
        self._studies: list[Any] = []
        self._interruption = Interruption()
        self._waiting = Waiting(tell=console.print, given_up=lambda: self._interruption.asked)
        self.reporter: RunReporter = RunReporter(
            plan.run,
            records=Records(self._studies),
            waiting=self._waiting,
            anchors=anchors,
            terminal=Terminal(console, trials=plan.all_trials, evaluations=space.budget.evaluations),
            console=console,
            rung=space.first_rung,
        )

    def search(self, given: dict[str, Any]) -> "tuple[str, list[Row]]":
        """Run all stages: why the search ended early, or nothing, and the final leaderboard.

        Args:
            given: corpus, judge and budget, for the trainables.
        """
        from search_spaces.run.stages import begun, closed, seconds_for

        start, ending = time.monotonic(), ""
        self.reporter.start()
        try:
            for word in self.plan.protocol:
                over = ending not in ("", OUT_OF_TIME)
                if over and not begun(word, self.plan):  # to open a stage would close those before it
                    break
                stage = self._opened(word)
                if stage is None:
                    break
                self._studies.append(stage.study)
                if over or closed(word, self.plan):
                    continue
                left = self.plan.time_budget and self.plan.time_budget - (time.monotonic() - start)
                ending = self._stage(stage, seconds_for(word, self.plan, left), given) or ending
        finally:
            lines = self.reporter.close()
        return ending, lines

    def _opened(self, word: str) -> "Stage | None":
        from search_spaces.run.stages import open_stage

        return self._waiting.until_written(lambda: open_stage(word, self.plan, self.space))

    def _stage(self, stage: "Stage", seconds: float | None, given: dict[str, Any]) -> str:
        """Run one stage; what broke it off, or nothing."""
        from reporting.tensorboard import write_hparams_columns
        from search_spaces.run.stages import TRIALS
        from search_spaces.search.searcher import LedgerSearcher

        columns = stage.space.parameters(), stage.space.objectives
        self._waiting.until_written(lambda: write_hparams_columns(self.plan.run, *columns))
        ledger = self._waiting.until_written(lambda: stage.ledger(self.plan))
        searcher = LedgerSearcher(
            ledger, self.plan.run / TRIALS, concurrency=self.packing.concurrency, waiting=self._waiting
        )
        ending = ""
        if not ledger.over:
            start = time.monotonic()
            late = seconds is not None and seconds <= 0
            ending = OUT_OF_TIME if late else self._fit(stage, searcher, seconds, given)
            if not ending and not ledger.over:
                late = seconds is not None and time.monotonic() - start >= seconds
                ending = OUT_OF_TIME if late else INTERRUPTED
        try:
            ledger.interrupt(ending)
        except OSError as error:  # they count as running, until the search goes on
            ending = ending or str(error)
        return ending

    def _fit(self, stage: "Stage", searcher: "LedgerSearcher", seconds: float | None, given: dict[str, Any]) -> str:
        from search_spaces.search.tuning import fit

        return fit(
            stage.space.system,
            searcher,
            self.reporter,
            given=given,
            resources=self.packing.resources,
            seconds=seconds,
            interruption=self._interruption,
            tell=self.reporter.console.print,
        )


if __name__ == "__main__":
    sys.exit(main())
