"""Several processes of one command, as ``torchrun`` starts them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from ...datasets import InputError

Item = TypeVar("Item")


def share_of_rank(items: Sequence[Item]) -> list[Item]:
    """Return every n-th of ``items`` for one of n processes, told by ``RANK`` and ``WORLD_SIZE``; all without them."""
    rank, world_size = rank_and_world_size()
    return list(items[rank::world_size])


def rank_and_world_size() -> tuple[int, int]:
    """Return ``RANK`` and ``WORLD_SIZE`` of the environment, 0 and 1 without them.

    Raises:
        InputError: if these are no number of a process and number of processes.
    """
    rank, world_size = os.environ.get("RANK", "0"), os.environ.get("WORLD_SIZE", "1")
    if not (rank.isdigit() and world_size.isdigit() and int(rank) < int(world_size)):
        place = f"RANK={rank}, WORLD_SIZE={world_size}"
        raise InputError.at(place, "no process of several", "unset both, or use torchrun")
    return int(rank), int(world_size)


def use_device_of_rank() -> None:
    """Make the GPU of ``LOCAL_RANK`` the one that ``cuda`` means, where there are GPUs."""
    import torch

    if torch.cuda.is_available() and "LOCAL_RANK" in os.environ:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]) % torch.cuda.device_count())
