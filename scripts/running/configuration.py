"""What of a bundle is to run: configs merged in order, and settings over them; and how it tells how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ...datasets import InputError
from .bundle import Bundle
from .config_files import targets
from .config_ids import nearest, require_kinds, require_known
from .given import as_object, has_number_sign
from .third_parties import is_debugging, silence_loggers
from .tracked_config import follow, write_record
from .written_files import Pictures

if TYPE_CHECKING:
    from monai.bundle import ConfigParser, ConfigWorkflow

TRAINER, VALIDATOR = "train::trainer", "validate::evaluator"
"""Ids of the engines, as MONAI wants them in every bundle."""


class Progress(Protocol):
    """What is called after each step, such as a bar at the terminal or in a notebook."""

    def __call__(self, label: str, done: int, total: int, state: str = "") -> None:
        """Take note of progress.

        Args:
            label: what is going on.
            done: steps of it.
            total: of the steps.
            state: more on it, such as the loss.
        """


def no_progress(label: str, done: int, total: int, state: str = "") -> None:
    """Tell nobody."""


class Configuration:
    """Configs of a bundle, read and merged once, and the workflow that they describe.

    Args:
        bundle: whose configs.
        names: of the configs in order, such as ``("inference", "evaluate")``; a first ``"train"`` trains.
        settings: config ids and values, which MONAI does not read as text of a config.
        tracking: ``"mlflow"`` or a settings file, as in MONAI.

    Raises:
        InputError: if a config is missing.

    Example:
        >>> Configuration(Bundle.find("brain_super_resolution_cftn"), ["inference"]).value("scales")
        [2, 3]
    """

    def __init__(
        self,
        bundle: Bundle,
        names: Sequence[str],
        settings: Mapping[str, Any] | None = None,
        tracking: str | None = None,
    ) -> None:
        self.bundle = bundle
        self.names = list(names)
        self.files = bundle.config_files(names)
        self.settings = dict(settings or {})
        self._tracking = tracking

    @cached_property
    def workflow(self) -> ConfigWorkflow:
        """MONAI's workflow; :meth:`build` initializes it."""
        from monai.bundle import ConfigWorkflow

        silence_loggers()
        workflow = ConfigWorkflow(
            config_file=[str(file) for file in self.files],
            workflow_type="train" if self.is_training else "infer",
            logging_file=None if is_debugging() else False,
        )
        _update(workflow.parser, {"bundle_root": self.bundle.folder, **self.settings})
        if self._tracking:
            follow(workflow, self._tracking)
        if not self.is_training:
            _load_strictly(workflow.parser)
        return workflow

    @property
    def parser(self) -> ConfigParser:
        """The merged configs."""
        return self.workflow.parser

    @property
    def is_training(self) -> bool:
        """Whether the first config is ``train``."""
        return self.names[0] == "train"

    def __contains__(self, name: str) -> bool:
        return name in self.parser

    def value(self, name: str) -> Any:
        """Return the value of one id, without building what it does not need.

        Raises:
            InputError: if there is no such id.
        """
        if name not in self.parser:
            place = f"{self.bundle.name} ({', '.join(self.names)})"
            raise InputError.at(place, f"has no '{name}'", f"add {name} to its config")
        return self.parser.get_parsed_content(name)

    def require(self, names: Iterable[str]) -> None:
        """Check that there are the ids ``names``, for settings of others have no effect.

        Raises:
            InputError: if there is not one of them; names the nearest.
        """
        for name in names:
            try:
                require_known(self.parser, [name])
            except InputError as error:
                near = nearest(self.parser, name)
                remedy = f"did you mean {near}?" if near else "leave it out, or choose another bundle"
                raise InputError.at(f"`{name}`", f"has no meaning for {self.bundle.name}", remedy) from error

    def update(self, settings: Mapping[str, Any]) -> None:
        """Give ids other values, as they are; what was built of the old ones is forgotten."""
        _update(self.parser, settings)

    def override(self, overrides: Mapping[str, Any]) -> None:
        """Give ids other values in MONAI's terms: text that begins with ``$``, ``@`` or ``%`` is code, ``+id`` adds.

        Raises:
            InputError: if there is no such id, or a value is of another kind than the one that it replaces.
        """
        from monai.bundle.utils import merge_kv

        require_known(self.parser, overrides)
        require_kinds(self.parser, overrides)
        for name, value in overrides.items():
            content = as_object(value) if has_number_sign(value) else value
            if name.removeprefix("+") in self.parser:
                merge_kv(self.parser, name, content)
            else:
                self.parser.set(content, name.removeprefix("+"))

    def may_overwrite(self) -> None:
        """Let a training replace one that stands in its folder."""
        if "training_folder" in self:
            self.update({"training_folder::overwrite": True})

    @property
    def network_name(self) -> str:
        """Class of ``network_def``, such as ``FANet``; of what it wraps, if it does."""
        definition = self.parser.get("network_def")
        while isinstance(definition, dict) and isinstance(definition.get("network"), dict):
            definition = definition["network"]
        if isinstance(definition, dict) and "_target_" in definition:
            return str(definition["_target_"]).rpartition(".")[2]
        return "network"

    @property
    def pictures(self) -> Pictures | None:
        """The config's ``pictures``, None where it has none."""
        return Pictures(**self.value("pictures")) if "pictures" in self else None

    @property
    def output_dir(self) -> Path:
        """Where the workflow writes."""
        return Path(self.value("output_dir"))

    @property
    def weights_file(self) -> Path | None:
        """The file whose weights are in the network; None where it needs none."""
        files = (getattr(handler, "loaded", None) for handler in self.value("handlers"))
        return next((file for file in files if file is not None), None)

    def build(self) -> None:
        """Run what the config wants done first; later values are those that the run uses."""
        if self._tracking:
            write_record(self.parser)
        self.workflow.initialize()
        if "prepare" in self:
            self.value("prepare")  # which is built once, and so nothing is left of it when the workflow runs

    def run(self, label: str, progress: Progress = no_progress) -> None:
        """Run the workflow that :meth:`build` initialized, and what its config wants done afterwards."""
        from ignite.engine import Engine, Events

        def tell(engine: Engine) -> None:
            total = (engine.state.epoch_length or 0) * (engine.state.max_epochs or 1)
            progress(label, engine.state.iteration, total, self._training_state() if self.is_training else "")

        engine = self.value(TRAINER if self.is_training else "evaluator")
        silence_loggers()  # of handlers, which exist by now
        with engine.add_event_handler(Events.ITERATION_COMPLETED, tell):
            self.workflow.run()
        self.workflow.finalize()

    def _training_state(self) -> str:
        """Tell epoch and loss, and the best validation so far where there is one."""
        state = self.value(TRAINER).state
        text = f"epoch {state.epoch}/{state.max_epochs}, loss {state.output[0]['loss']:.3f}"
        if VALIDATOR in self:
            best = self.value(VALIDATOR).state
            if getattr(best, "best_metric_epoch", -1) > 0:
                text += f", best {best.key_metric_name} {best.best_metric:.3f} (epoch {best.best_metric_epoch})"
        return text


def _update(parser: ConfigParser, settings: Mapping[str, Any]) -> None:
    parser.update({name: as_object(value) for name, value in settings.items()})


def _load_strictly(parser: ConfigParser) -> None:
    """Put our loader of weights in the place of MONAI's, which takes over what fits, in bundles that have that one."""
    places = [place for place, name in targets(parser.get()) if name.rpartition(".")[2] == "CheckpointLoader"]
    target = f"{__name__.partition('.')[0]}.handlers.WeightsLoader"
    for place in places:
        parser[place.removesuffix("::_target_")] = {"_target_": target, "file": "@model_file", "network": "@network"}
