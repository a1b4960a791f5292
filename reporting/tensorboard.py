"""TensorBoard: scalars, HParams, a piano-roll picture and audio of every trial."""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import metadata, plugin_data_pb2, summary_v2
from tensorboard.plugins.hparams.api_pb2 import STATUS_FAILURE, STATUS_SUCCESS
from tensorboard.plugins.text.plugin_data_pb2 import TextPluginData
from tensorboard.util.tensor_util import make_tensor_proto

from reporting.audio import RATE
from reporting.event_file import EventFile
from reporting.phrase import Phrase
from reporting.trial_folder import read_scores

_METRICS: Final = ("objective", "objective_now")
_OTHERS: Final = "objectives/"
_RGB: Final = 3


class TrialBoard:
    """Event files of one trial, in its folder.

    TensorBoard averages over sessions of one name: `session` must tell the trials of all runs apart. In a folder that
    has event files, points after the last evaluation in `scores.jsonl` are taken back: the trial comes to them again.
    """

    def __init__(self, folder: Path, parameters: Mapping[str, Any], *, session: str) -> None:
        self._file = EventFile(folder, purge_step=_first_to_purge(folder))
        shown = {
            name: value if isinstance(value, bool | int | float | str) else str(value)
            for name, value in parameters.items()
        }
        self._file.add(summary_v2.hparams_pb(shown, trial_id=session))

    def add_scalars(self, result: Mapping[str, Any], step: int) -> None:
        """Objectives, scores, losses, diagnostics and verdict of one evaluation; `step` counts bars."""
        values = {name: result[name] for name in _METRICS}
        values |= {_tag(name): value for name, value in result.get("objectives", {}).items() if name not in _METRICS}
        for group in ("scores", "losses", "diagnostics"):
            values |= {f"{group}/{name}": value for name, value in result.get(group, {}).items()}
        summary = summary_pb2.Summary()  # one for all of them, not a record each
        for tag, value in values.items():
            summary.value.add(tag=tag, simple_value=value)
        if "verdict" in result:
            summary.value.append(_text("verdict", f"{result['verdict']}: {result['verdict_reason']}"))
        self._file.add(summary, step)

    def add_pictures(self, phrases: Iterable[Phrase], step: int) -> None:
        """A piano roll of each phrase above its real continuation."""
        summary = summary_pb2.Summary()
        for number, phrase in enumerate(phrases, 1):
            width, height = Image.open(io.BytesIO(phrase.png)).size  # read from its head
            image = summary_pb2.Summary.Image(
                width=width, height=height, colorspace=_RGB, encoded_image_string=phrase.png
            )
            summary.value.add(tag=f"piano_roll/{number}", image=image)
        self._file.add(summary, step)

    def add_audio(self, phrases: Iterable[Phrase], step: int) -> None:
        """The sound of each phrase."""
        summary = summary_pb2.Summary()
        for number, phrase in enumerate(phrases, 1):
            sound = summary_pb2.Summary.Audio(
                sample_rate=RATE, num_channels=1, content_type="audio/wav", encoded_audio_string=phrase.wav
            )
            summary.value.add(tag=f"audio/{number}", audio=sound)
        self._file.add(summary, step)

    def close(self, *, failed: bool | None) -> None:
        """End the session, unless `failed` is None: TensorBoard keeps the first end that it is told."""
        if failed is not None:
            self._end_session(failed=failed)
        self._file.close()

    def _end_session(self, *, failed: bool) -> None:
        status = STATUS_FAILURE if failed else STATUS_SUCCESS
        end = plugin_data_pb2.HParamsPluginData(session_end_info=plugin_data_pb2.SessionEndInfo(status=status))
        summary = summary_pb2.Summary()
        summary.value.add(
            tag=metadata.SESSION_END_INFO_TAG,
            metadata=metadata.create_summary_metadata(end),
            tensor=metadata.NULL_TENSOR,
        )
        self._file.add(summary)


def write_hparams_columns(run: Path, parameters: Iterable[str], objectives: Iterable[str] = ()) -> None:
    """Declare the HParams table at the run's root: every parameter of the space, `objective` and the others.

    Without it TensorBoard takes its columns from the trial it happens to read first. It believes the first declaration
    alone: one of an earlier stage, or of before an interruption, is replaced, and its columns stay.
    """
    before = sorted(run.glob("events.out.*"))
    names, metrics = _declared(run) if before else ([], [])
    metrics += [_tag(name) for name in ("objective", *objectives)]
    summary = summary_v2.hparams_config_pb(
        hparams=[summary_v2.HParam(name) for name in dict.fromkeys([*names, *parameters])],
        metrics=[
            summary_v2.Metric(tag, display_name=f"{tag.removeprefix(_OTHERS)} (lower is better)")
            for tag in dict.fromkeys(metrics)
        ],
    )
    file = EventFile(run)
    file.add(summary)
    file.close()
    for path in before:
        path.unlink(missing_ok=True)


def _declared(run: Path) -> tuple[list[str], list[str]]:
    """Parameters and tags of metrics of the HParams table at the run's root."""
    events = EventAccumulator(str(run))
    events.Reload()
    try:
        content = events.SummaryMetadata(metadata.EXPERIMENT_TAG).plugin_data.content
        experiment = plugin_data_pb2.HParamsPluginData.FromString(content).experiment
    except KeyError:  # a kill cut it off
        return [], []
    return [info.name for info in experiment.hparam_infos], [info.name.tag for info in experiment.metric_infos]


def _tag(objective: str) -> str:
    return objective if objective in _METRICS else f"{_OTHERS}{objective}"


def _first_to_purge(folder: Path) -> int | None:
    """The step from which on points of earlier event files do not count."""
    if not any(folder.glob("events.out.*")):
        return None
    rows = read_scores(folder)
    return rows[-1]["bars"] + 1 if rows else 0


def _text(tag: str, text: str) -> Any:
    plugin = summary_pb2.SummaryMetadata.PluginData(
        plugin_name="text", content=TextPluginData(version=0).SerializeToString()
    )
    return summary_pb2.Summary.Value(
        tag=f"{tag}/text_summary",
        metadata=summary_pb2.SummaryMetadata(plugin_data=plugin),
        tensor=make_tensor_proto([text]),
    )
