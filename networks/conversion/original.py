"""Weights of other implementations: names, shapes and arguments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Size, Tensor, nn

Shapes = Mapping[str, Size]


@dataclass(frozen=True)
class Original:
    """How to read the weights of another implementation.

    Attributes:
        network: the class that takes them.
        config: infers that class's arguments from the shapes of the original's tensors.
        names: beginnings of the original's keys, as regular expressions that end before a dot, and what stands
            in their place here; the first that fits counts.
        unused: beginnings of keys, as above, of tensors that the original saves and its forward pass never uses.
        parts: keys of a checkpoint that holds several state dicts; each becomes the beginning of its names.
    """

    network: Callable[..., nn.Module]
    config: Callable[[Shapes], dict[str, Any]]
    names: Mapping[str, str] = field(default_factory=dict)
    unused: Sequence[str] = ()
    parts: Sequence[str] = ()


@dataclass(frozen=True)
class ConvertedWeights:
    """A network by its dotted path, its constructor's arguments, and its weights.

    MONAI's ``ConfigParser`` builds it from ``{"_target_": network, **config}``.
    """

    network: str
    config: dict[str, Any]
    state_dict: dict[str, Tensor]


def convert(original: str, entry: Original, state_dict: Mapping[str, Any]) -> ConvertedWeights:
    """Convert weights of the implementation ``entry``, which error messages call ``original``.

    Raises:
        ValueError: see :func:`mri_attention.networks.conversion.convert_state_dict`.
    """
    tensors = {
        name: tensor for name, tensor in _tensors(state_dict, entry.parts).items() if not _is_any(name, entry.unused)
    }
    config = _infer_config(original, entry, {name: tensor.shape for name, tensor in tensors.items()})
    with torch.device("meta"):
        expected = entry.network(**config).state_dict()
    renamed = {name: _rename(name, entry.names) for name in tensors}
    _compare_names(original, renamed, expected)
    state = {renamed[name]: _fit(tensor, expected[renamed[name]], name) for name, tensor in tensors.items()}
    for name in expected.keys() - state.keys():
        state[name] = torch.zeros((), dtype=torch.long)
    folder = entry.network.__module__.rpartition(".")[0]
    return ConvertedWeights(f"{folder}.{entry.network.__name__}", config, {name: state[name] for name in expected})


def count(shapes: Shapes, name: str) -> int:
    """Return how many keys there are like ``name``, with 0, 1, ... in its braces."""
    n_found = 0
    while name.format(n_found) in shapes:
        n_found += 1
    return n_found


def _tensors(state_dict: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Tensor]:
    content = state_dict.get("state_dict", state_dict) if isinstance(state_dict, Mapping) else state_dict
    if parts and isinstance(content, Mapping) and all(isinstance(content.get(part), Mapping) for part in parts):
        content = {f"{part}.{name}": value for part in parts for name, value in content[part].items()}
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise ValueError("state_dict must hold tensors by name, on its own or under 'state_dict'")
    is_parallel = all(str(name).startswith("module.") for name in content)
    return {str(name).removeprefix("module." if is_parallel else ""): value for name, value in content.items()}


def _infer_config(original: str, entry: Original, shapes: Shapes) -> dict[str, Any]:
    try:
        return entry.config(shapes)
    except KeyError as error:
        raise ValueError(f"no weights of {original}: missing {error.args[0]}") from error
    except (IndexError, ValueError, ZeroDivisionError) as error:
        raise ValueError(f"no weights of {original}: tensors of unexpected shapes ({error})") from error


def _rename(name: str, names: Mapping[str, str]) -> str:
    for beginning, ours in names.items():
        renamed, n_found = re.subn(rf"^{beginning}(?=\.)", ours, name)
        if n_found:
            return renamed
    return name


def _is_any(name: str, beginnings: Sequence[str]) -> bool:
    return any(re.match(rf"{beginning}(\.|$)", name) for beginning in beginnings)


def _compare_names(original: str, renamed: Mapping[str, str], expected: Mapping[str, Tensor]) -> None:
    """Name what is too much or too few; counts of batches, which old versions of torch did not save, may miss."""
    taken = list(renamed.values())
    unexpected = [name for name, ours in renamed.items() if ours not in expected or taken.count(ours) > 1]
    missing = expected.keys() - set(renamed.values())
    missing = {name for name in missing if not name.endswith("num_batches_tracked")}
    problems = []
    if unexpected:
        problems.append(f"unexpected {', '.join(unexpected)}")
    if missing:
        problems.append(f"missing what is named here {', '.join(sorted(missing))}")
    if problems:
        raise ValueError(f"no weights of {original}: {'; '.join(problems)}")


def _fit(tensor: Tensor, expected: Tensor, name: str) -> Tensor:
    """Give ``tensor`` the expected dtype and, where it differs by axes of length one only, the expected shape."""
    if tensor.squeeze().shape != expected.squeeze().shape:
        raise ValueError(f"{name} has the shape {tuple(tensor.shape)}, expected is {tuple(expected.shape)}")
    return tensor.detach().reshape(expected.shape).to(expected.dtype)
