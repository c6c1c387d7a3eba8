"""Attention between the stages of a network."""

from __future__ import annotations

from typing import Literal

from .dual_attention import ChannelGramAttention


class MultiStageIntegration(ChannelGramAttention):
    """Let the features of each stage attend to those of all stages.

    Feng et al. 2021 (arXiv:2105.08949) for MINet, and 2024 (arXiv:2109.01664) for SANet, in two forms for the stages
    F_i, flattened over channels and space::

        paper:  y_i = F_i + sum_j softmax_j(F_i F_j) F_j
        han:    y_i = F_i + gamma sum_j softmax_j(max_j(F_i F_j) - F_i F_j) F_j

    The second is that of the authors' code, taken from HAN (Niu et al., ECCV 2020, arXiv:2008.08767); it has one
    parameter, which starts at zero. They differ in sign: a stage attends most to the most similar one (itself, as a
    rule) in the paper, and to the least similar one in the code. As products over a whole image are large, the softmax
    is nearly one-hot in both.

    It is :class:`ChannelGramAttention` with stages for channels: ``(b, n, c, *spatial)`` goes to the same shape, and
    the weights are ``(b, n, n)``. It takes any number of stages, of channels and of spatial axes.

    Args:
        form: ``"han"`` or ``"paper"``.

    Raises:
        ValueError: if ``form`` is unknown.
    """

    def __init__(self, form: Literal["han", "paper"] = "han") -> None:
        if form not in ("han", "paper"):
            raise ValueError(f'form must be "han" or "paper", got {form!r}')
        super().__init__(*((-1.0, None) if form == "han" else (1.0, 1.0)))
