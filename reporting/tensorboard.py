"""TensorBoard: scalars, HParams, a piano-roll picture and audio of every trial."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import metadata, plugin_data_pb2, summary_v2
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
from torch.utils.tensorboard import SummaryWriter

from reporting.phrase import Phrase

_METRICS: Final = ("objective", "objective_now")


class TrialBoard:
    """Event files of one trial, in its folder.

    TensorBoard averages over sessions of one name: `session` must tell the trials of all runs apart.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, Any], *, session: str) -> None:
        self._writer = SummaryWriter(str(folder))
        _add(self._writer, summary_v2.hparams_pb(dict(parameters), trial_id=session))

    def add_scalars(self, result: Mapping[str, Any], step: int) -> None:
        """Objectives, scores, losses, diagnostics and verdict of one evaluation; `step` counts bars."""
        for name in _METRICS:
            self._writer.add_scalar(name, result[name], step)
        for name, value in result.get("objectives", {}).items():
            if name not in _METRICS:
                self._writer.add_scalar(_tag(name), value, step)
        for group in ("scores", "losses", "diagnostics"):
            for name, value in result.get(group, {}).items():
                self._writer.add_scalar(f"{group}/{name}", value, step)
        if "verdict" in result:
            self._writer.add_text("verdict", f"{result['verdict']}: {result['verdict_reason']}", step)
        self._writer.flush()

    def add_pictures(self, phrases: Iterable[Phrase], step: int) -> None:
        """A piano roll of each phrase above its real continuation."""
        for number, phrase in enumerate(phrases, 1):
            self._writer.add_image(f"piano_roll/{number}", phrase.picture(), step, dataformats="HWC")
        self._writer.flush()

    def add_audio(self, phrases: Iterable[Phrase], step: int) -> None:
        """The sound of each phrase."""
        for number, phrase in enumerate(phrases, 1):
            sound, rate = phrase.sound()
            self._writer.add_audio(f"audio/{number}", sound[None], step, sample_rate=rate)
        self._writer.flush()

    def close(self, *, failed: bool) -> None:
        """End the session."""
        status = STATUS_FAILURE if failed else STATUS_SUCCESS
        end = plugin_data_pb2.HParamsPluginData(session_end_info=plugin_data_pb2.SessionEndInfo(status=status))
        summary = summary_pb2.Summary()
        summary.value.add(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(end),
            tensor=metadata.NULL_TENSOR,
        )
        _add(self._writer, summary)
        self._writer.close()


def write_hparams_columns(run: Path, parameters: Iterable[str], objectives: Iterable[str] = ()) -> None:
    """Declare the HParams table once, at the run's root: every parameter of the space, `objective` and the others.

    Without it TensorBoard takes its columns from the trial it happens to read first.
    """
    summary = summary_v2.hparams_config_pb(
        hparams=[summary_v2.HParam(name) for name in parameters],
        metrics=[
            summary_v2.Metric(_tag(name), display_name=f"{name} (lower is better)")
            for name in dict.fromkeys(("objective", *objectives))
        ],
    )
    with SummaryWriter(str(run)) as writer:
        _add(writer, summary)


def _tag(objective: str) -> str:
    return objective if objective in _METRICS else f"objectives/{objective}"


def _add(writer: SummaryWriter, summary: Any) -> None:
    writer._get_file_writer().add_summary(summary)
    writer.flush()
