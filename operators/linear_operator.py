"""Linear operators with their adjoints: composed by ``@``, summed by ``+``, multiplied by numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor


class LinearOperator(ABC):
    """A linear map A of tensors with its adjoint ``A.H``: ``<A x, y> = <x, A.H y>``.

    Operators read like their equations, ``A = Sampling(mask) @ Fourier() @ Coils(coil_maps)``.
    """

    @abstractmethod
    def __call__(self, x: Tensor, /) -> Tensor:
        """Return ``A x``."""

    @abstractmethod
    def adjoint(self, y: Tensor, /) -> Tensor:
        """Return ``A.H y``."""

    @property
    def H(self) -> LinearOperator:  # noqa: N802 - the field's symbol
        """The adjoint as an operator."""
        return Map(self.adjoint, self)

    @property
    def gram(self) -> LinearOperator:
        """``A.H A``; an operator that knows a shorter form gives that."""
        return self.H @ self

    def __matmul__(self, other: LinearOperator) -> LinearOperator:
        """Return the operator that applies ``other`` first."""
        return Map(lambda x: self(other(x)), lambda y: other.adjoint(self.adjoint(y)))

    def __add__(self, other: LinearOperator) -> LinearOperator:
        """Return the sum of both."""
        return Map(lambda x: self(x) + other(x), lambda y: self.adjoint(y) + other.adjoint(y))

    def __rmul__(self, factor: complex) -> LinearOperator:
        """Return a multiple."""
        return Map(lambda x: factor * self(x), lambda y: factor.conjugate() * self.adjoint(y))


class Map(LinearOperator):
    """An operator of two functions.

    Args:
        forward: x to ``A x``.
        adjoint: y to ``A.H y``.
    """

    def __init__(self, forward: Callable[[Tensor], Tensor], adjoint: Callable[[Tensor], Tensor]) -> None:
        self.forward, self.backward = forward, adjoint

    def __call__(self, x: Tensor, /) -> Tensor:
        """Apply the first function."""
        return self.forward(x)

    def adjoint(self, y: Tensor, /) -> Tensor:
        """Apply the second one."""
        return self.backward(y)


class Identity(LinearOperator):
    """``x``."""

    def __call__(self, x: Tensor, /) -> Tensor:
        """Return x."""
        return x

    def adjoint(self, y: Tensor, /) -> Tensor:
        """Return y."""
        return y


class Diagonal(LinearOperator):
    """``w x``, a product voxel by voxel.

    Args:
        weights: w, real or complex, broadcastable to x without making it larger.
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    def __call__(self, x: Tensor, /) -> Tensor:
        """Return ``w x``."""
        return self.weights * x

    def adjoint(self, y: Tensor, /) -> Tensor:
        """Return ``conj(w) y``."""
        return self.weights.conj() * y


class Sampling(Diagonal):
    """``M y``, what a mask has of k-space: a projection, which is its own adjoint.

    Args:
        weights: the mask M, True where there are samples.
    """

    @property
    def gram(self) -> LinearOperator:
        """The projection itself."""
        return self
