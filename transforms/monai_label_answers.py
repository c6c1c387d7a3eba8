"""Refusals as a MONAI Label server's client gets them: as their line."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

from monai.transforms import Compose

from ..datasets.input_error import InputError

logger = logging.getLogger(__name__)

UNUSABLE = 400
"""HTTP's status of a request that cannot be met as it is."""


class AnsweringCompose(Compose):
    """MONAI's ``Compose`` for a MONAI Label server, whose client is told why its image cannot be used.

    That server takes ``transforms`` one by one, and of an error its client learns nothing but the status 500. So an
    ``InputError`` becomes the server's own ``HTTPException``, of status 400 and with the line as ``detail``. Without a
    server nothing changes. Inversion uses the transforms as they are.

    Args:
        transforms: to be run in order.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]]) -> None:
        super().__init__([_Answering(transform) for transform in transforms])
        self.own = Compose(list(transforms))

    def flatten(self) -> Compose:
        """Return the transforms as they are, by which MONAI inverts."""
        return self.own.flatten()


class _Answering:
    def __init__(self, transform: Callable[..., Any]) -> None:
        self.transform = transform

    def __call__(self, data: Any) -> Any:
        try:
            return self.transform(data)
        except Exception as error:
            server, refusal = sys.modules.get("fastapi"), _refusal(error)
            if server is None or refusal is None:
                raise
            logger.warning("%s", refusal)  # the server's log has no word of its exceptions of this kind
            raise server.HTTPException(status_code=UNUSABLE, detail=str(refusal)) from error


def _refusal(error: BaseException | None) -> InputError | None:
    """Return the ``InputError`` that led to ``error``, as MONAI raises its own from it."""
    while error is not None and not isinstance(error, InputError):
        error = error.__cause__
    return error
