"""The section of a report on susceptibility maps: the error in k-space by the angle to B0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...datasets import read_volume
from ...datasets.sidecars import read_sidecar
from ...metrics import MAGIC_ANGLE, angle_edges, errors_by_angle
from ...operators import voxel_size_from_affine
from ...transforms.load_local_field import parse_direction
from ..running.evaluation import Evaluation
from ..running.written_files import file_of
from .charts import COLORS, chart_panels, to_png
from .html_report import Picture, Section
from .table import Table

Curves = dict[str, dict[str, NDArray[Any]]]
"""By network and case, the error (%) in each bin of the angle."""

STYLES = ("-", "--", ":")
TEXT = (
    "|F(result - reference)| over |F reference|, root sums of squares over all k in 2 degrees of the angle to B0 (mm), "
    "means in the brain subtracted{mean}. At the magic angle of 54.7 degrees the dipole kernel is zero: a field tells "
    "nothing there, and 100 % is the error of leaving it empty."
)


def angle_curves(evaluations: Sequence[Evaluation]) -> Curves:
    """Return what :func:`errors_by_angle` finds of the maps that were written.

    Cases are left out whose map or reference was not written, or whose map has no sidecar with the direction of B0, as
    images of other kinds have none; and networks without cases.
    """
    found: Curves = {}
    for evaluation in evaluations:
        errors = {name: _errors(evaluation, number) for number, name in enumerate(evaluation.case_names)}
        if known := {name: values for name, values in errors.items() if values is not None}:
            found[evaluation.network] = known
    return found


def write_angle_curves(curves: Curves, path: Path) -> None:
    """Write one row per network, case and bin, if there are any; an empty cell where the error is not defined."""
    if not curves:
        return
    edges = angle_edges()
    rows = [
        [network, case, float(low), float(high), float(error)]
        for network, cases in curves.items()
        for case, errors in cases.items()
        for low, high, error in zip(edges[:-1], edges[1:], errors, strict=True)
    ]
    Table(["network", "case", "angle_from", "angle_to", "error_percent"], rows).write_csv(path)


def angle_section(curves: Curves) -> list[Section]:
    """Return a picture with one curve per network, the mean over the cases; nothing without curves."""
    if not curves:
        return []
    n_cases = max(map(len, curves.values()))
    text = TEXT.format(mean=f"; the mean over {n_cases} cases" if n_cases > 1 else "")
    picture = Picture(angle_figure(curves), alternative="Error in k-space by the angle to B0")
    return [Section("Error by angle to B0", [text], pictures=[picture])]


def angle_figure(curves: Mapping[str, Mapping[str, NDArray[Any]]]) -> bytes:
    """Show the mean over cases of each network's error (%) by angle (degrees), and the magic angle."""
    figure, (axis,) = chart_panels(1, 9.5, 4.4)
    edges = angle_edges()
    for number, (network, cases) in enumerate(curves.items()):
        known = np.ma.masked_invalid(np.stack(list(cases.values())))
        style = STYLES[number // len(COLORS) % len(STYLES)]
        color, middle = COLORS[number % len(COLORS)], (edges[:-1] + edges[1:]) / 2
        axis.plot(middle, known.mean(0).filled(np.nan), style, color=color, linewidth=1.6, label=network)
    axis.axvline(MAGIC_ANGLE, color="#9aa3ae", linewidth=1, zorder=0, label="magic angle")
    axis.set(xlabel="angle between k and B0 (degrees)", ylabel="error in k-space (%)", xlim=(0, 90))
    axis.set_ylim(bottom=0)
    axis.set_xticks(range(0, 91, 15))
    figure.legend(frameon=False, loc="outside right upper")
    return to_png(figure)


def _errors(evaluation: Evaluation, number: int) -> NDArray[Any] | None:
    spec = evaluation.pictures
    if spec is None:
        return None
    paths = [file_of(evaluation.files[number], suffix) for suffix in (spec.result, spec.reference)]
    if paths[0] is None or paths[1] is None or "B0Direction" not in (sidecar := read_sidecar(paths[0])):
        return None
    direction = parse_direction(sidecar["B0Direction"], f"B0Direction beside {paths[0]}")
    # As they are, not turned to RAS: the direction is in these voxel axes.
    result, reference = (read_volume(path, allow_constant=True) for path in (paths[0], paths[1]))
    truth = reference[0].numpy()
    size = voxel_size_from_affine(reference.affine.numpy())
    return errors_by_angle(result[0].numpy(), truth, size, direction, mask=truth != 0)
