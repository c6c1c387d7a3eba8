"""The checkpoints of one training as files: written whole, two at a time, and read again."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ..datasets import InputError
from .whole_files import load_whole, save_whole

logger = logging.getLogger(__name__)
Content = dict[str, Any]

LAST = "checkpoint_last.pt"


class CheckpointFiles:
    """``checkpoint_epoch=N.pt`` of the newest two epochs; ``checkpoint_last.pt`` once the training is done.

    Args:
        folder: where they are.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of_epoch(self, epoch: int) -> Path:
        """Return the file of an epoch."""
        return self.folder / f"checkpoint_epoch={epoch}.pt"

    def write(self, content: Content, epoch: int) -> None:
        """Write a checkpoint and remove those older than the one before.

        Raises:
            InputError: if it cannot be written.
        """
        save_whole(content, self.of_epoch(epoch))
        for file in self._epochs()[:-2]:
            file.unlink()

    def finish(self, epoch: int) -> None:
        """Let the checkpoint of ``epoch``, the last one, be the last of the training."""
        if self.of_epoch(epoch).is_file():
            self.of_epoch(epoch).replace(self.folder / LAST)
        for file in self._epochs()[:-1]:
            file.unlink()

    def all(self) -> list[Path]:
        """Return the files that there are."""
        return [*self._epochs(), *self.folder.glob(LAST)]

    def newest(self) -> tuple[Path, Content] | None:
        """Return the newest checkpoint that is whole, and tell of newer ones that are not; None if there is none.

        Raises:
            InputError: if there are some, none of which is whole.
        """
        contents = {file: read_checkpoint(file) for file in self.all()}
        if not contents:
            return None
        whole = {file: content for file, content in contents.items() if content is not None}
        damaged = ", ".join(file.name for file in contents if file not in whole)
        if not whole:
            raise InputError.at(self.folder, f"no whole checkpoint ({damaged})", "choose another `output_dir`")
        file = max(whole, key=lambda file: iteration_of(whole[file]))
        if damaged:
            logger.warning("%s: damaged (%s); going on from %s", self.folder, damaged, file.name)
        return file, whole[file]

    def _epochs(self) -> list[Path]:
        found = self.folder.glob("checkpoint_epoch=*.pt")
        numbered = {int(file.stem.partition("=")[2]): file for file in found if file.stem.partition("=")[2].isdigit()}
        return [numbered[epoch] for epoch in sorted(numbered)]


def iteration_of(content: Content) -> int:
    """Return after how many steps a checkpoint was written."""
    return int(content["trainer"]["iteration"])


def read_checkpoint(file: Path) -> Content | None:
    """Return what a checkpoint holds, None if it is damaged; its checksums are compared."""
    try:
        content = load_whole(file)
    except Exception:  # of the many that readers raise for damaged files
        logger.debug("%s cannot be read", file, exc_info=True)
        return None
    is_checkpoint = isinstance(content, dict) and {"model", "trainer"} <= content.keys()
    return content if is_checkpoint else None
