"""Dictionary versions of transforms: one base for those that apply an array transform at every key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from monai.config import KeysCollection
from monai.transforms import InvertibleTransform, MapTransform, Randomizable
from monai.utils import ensure_tuple
from numpy.random import RandomState

if TYPE_CHECKING:
    from typing_extensions import Self


class KeyedTransform(MapTransform):
    """Apply :attr:`array`, a transform of one value, at every key.

    Args:
        keys: of the values.
        output_keys: where the results go; in place if it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :attr:`array`.

    Attributes:
        array: makes the transform.
        companions: further arguments of the transform, by name the key of each; those that the data lack are left out.

    Raises:
        ValueError: if ``output_keys`` are not as many as ``keys``, and as :attr:`array` does.
    """

    array: ClassVar[Callable[..., Any]]
    companions: Mapping[str, Hashable] = {}

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        MapTransform.__init__(self, keys, allow_missing_keys)
        self.output_keys = matching_keys(self.keys, output_keys)
        self.transform = type(self).array(**options)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform what is at every key."""
        out = dict(data)
        given = {name: out[key] for name, key in self.companions.items() if key in out}
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.transform(out[key], **given)
        return out


class InvertibleKeyedTransform(KeyedTransform, InvertibleTransform):
    """A :class:`KeyedTransform` of an array transform that can be undone."""

    def inverse(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Undo the transform of every key."""
        out = dict(data)
        for key in self.key_iterator(out):
            out[key] = self.transform.inverse(out[key])
        return out


class RandomKeyedTransform(Randomizable, KeyedTransform):
    """A :class:`KeyedTransform` whose array transform draws; every key has a draw of its own."""

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> Self:
        """Seed this transform and the one that it calls."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(seed, state)
        return self


def matching_keys(keys: tuple[Hashable, ...], output_keys: KeysCollection | None) -> tuple[Hashable, ...]:
    """Return ``output_keys``, or ``keys`` where it is None.

    Raises:
        ValueError: if they are not as many.
    """
    found = keys if output_keys is None else ensure_tuple(output_keys)
    if len(found) != len(keys):
        raise ValueError(f"output_keys must be as many as keys, got {found} for {keys}")
    return found
