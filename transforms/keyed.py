"""Dictionary versions of transforms: one base for those that apply an array transform at every key."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from monai.config import KeysCollection
from monai.transforms import InvertibleTransform, MapTransform, Randomizable
from monai.utils import ensure_tuple
from numpy.random import RandomState

if TYPE_CHECKING:
    from typing_extensions import Self


def of_options(function: Callable[..., Any]) -> Any:
    """Return what makes transforms of a function, its options bound, for :attr:`KeyedTransform.array`."""
    return staticmethod(partial(partial, function))


class KeyedTransform(MapTransform):
    """Apply :attr:`array`, a transform of one value, at every key.

    A derived class names :attr:`array`, and what else differs: :meth:`arguments` or :meth:`apply`.

    Args:
        keys: of the values.
        output_keys: where the results go; in place if it is None.
        allow_missing_keys: skip keys that are not there.
        options: arguments of :attr:`array`.

    Attributes:
        array: makes the transform from the options.
        from_second_key_on: further arguments that the first of the keys is transformed without.

    Raises:
        ValueError: if ``output_keys`` are not as many as ``keys``, and as :attr:`array` does.
    """

    array: ClassVar[Callable[..., Any]]
    from_second_key_on: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self,
        keys: KeysCollection,
        output_keys: KeysCollection | None = None,
        allow_missing_keys: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(keys, allow_missing_keys)
        self.output_keys = self.keys if output_keys is None else ensure_tuple(output_keys)
        if len(self.output_keys) != len(self.keys):
            raise ValueError(f"output_keys must be as many as keys, got {self.output_keys} for {self.keys}")
        self.transform = type(self).array(**options)

    def arguments(self, data: Mapping[Hashable, Any]) -> dict[str, Any]:
        """Return what the transform of every key is given beside its value: here nothing."""
        return {}

    def apply(self, value: Any, **arguments: Any) -> Any:
        """Transform one value."""
        return self.transform(value, **arguments)

    def __call__(self, data: Mapping[Hashable, Any]) -> dict[Hashable, Any]:
        """Transform what is at every key."""
        out = dict(data)
        if self.first_key(out) == ():
            return out
        arguments = self.arguments(out)
        for key, output_key in self.key_iterator(out, self.output_keys):
            out[output_key] = self.apply(out[key], **arguments)
            arguments |= self.from_second_key_on
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
    """A :class:`KeyedTransform` of an array transform that draws; every key has a draw of its own."""

    def set_random_state(self, seed: int | None = None, state: RandomState | None = None) -> Self:
        """Seed this transform; the one that it calls draws from the same state."""
        super().set_random_state(seed, state)
        self.transform.set_random_state(state=self.R)
        return self


class OneDrawKeyedTransform(RandomKeyedTransform):
    """A :class:`RandomKeyedTransform` of which one draw serves all keys."""

    from_second_key_on: ClassVar[Mapping[str, Any]] = {"randomize": False}
