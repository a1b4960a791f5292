"""Ray, started on this machine or joined on a cluster, and how trials are packed on what it has."""

import os

from data_prep.errors import UserError
from search_spaces.run.cluster import may_grow
from search_spaces.run.plan import Plan
from search_spaces.run.resources import Packing, pack


def set_up_ray(address: str) -> None:
    """Settings that Ray reads from the environment when it is imported, or later."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ["TUNE_DISABLE_AUTO_CALLBACK_LOGGERS"] = "1"  # RunReporter writes what they would
    os.environ["TUNE_PRINT_ALL_TRIAL_ERRORS"] = "0"  # they are in error.txt
    os.environ["TUNE_DISABLE_SIGINT_HANDLER"] = "1"  # ours says that it has heard
    os.environ["TUNE_GLOBAL_CHECKPOINT_S"] = "1000000000"  # the study is the state, Ray's own is never read
    os.environ["RAY_CHDIR_TO_TRIAL_DIR"] = "0"
    os.environ["RAY_AIR_NEW_OUTPUT"] = "0"  # the only output that verbose=0 silences wholly
    if address == "local":
        # Ray's name for "this machine alone": its servers then listen on the loopback address, on Linux as well.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"


def start_ray(plan: Plan) -> Packing:
    """Start or join Ray: how many trials at a time, and what each of them takes.

    Raises:
        UserError: no cluster answers, or it has not what a trial is to have; Ray is not joined then.
    """
    import ray

    extra = {"include_dashboard": False} if plan.address == "local" else {}
    try:
        ray.init(address=plan.address, log_to_driver=False, logging_level="CRITICAL", **extra)
    except (ConnectionError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"--address is {plan.address!r}, but no Ray cluster answers there: {reason}") from error
    try:
        packing = pack(
            [node["Resources"] for node in ray.nodes() if node["Alive"]],
            gpus_per_trial=plan.gpus_per_trial,
            cpus_per_trial=plan.cpus_per_trial,
            concurrency=plan.concurrency,
            may_grow=may_grow(plan.address),
        )
    except UserError:
        ray.shutdown()
        raise
    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(packing.concurrency)  # Tune would start trials one after the other
    return packing
