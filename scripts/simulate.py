"""The command ``simulate``: a BIDS folder of simulated subjects."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..datasets import InputError
from .running.outputs import require_empty, staged
from .terminal.console import ProgressBars, console

THICKEST = 20.0  # mm, of a slice


def simulate(  # noqa: PLR0913 (one argument per option)
    output: Annotated[Path, typer.Option(help="New folder for the dataset.")],
    subjects: Annotated[int, typer.Option(min=1, help="Number of subjects.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same dataset.")] = 0,
    spacing: Annotated[float, typer.Option(min=0.25, max=10.0, help="Voxel size in mm.")] = 1.0,
    anatomies: Annotated[
        list[Path] | None,
        typer.Option(help="Folder with *_dseg.nii.gz label maps, instead of the embedded brain. Repeatable."),
    ] = None,
    lesion_masks: Annotated[
        Path | None, typer.Option(help="Folder with lesion masks to plant, beside grown lesions.")
    ] = None,
    heads: Annotated[
        Path | None,
        typer.Option(help="BIDS folder of real, brain-extracted heads in MNI space to plant lesion masks in."),
    ] = None,
    head: Annotated[
        list[str] | None, typer.Option(help="Subject of --heads to use; all by default. Repeatable.")
    ] = None,
    skull: Annotated[bool, typer.Option(help="Heads with skull and scalp.")] = False,
    slice_thickness: Annotated[float | None, typer.Option(help="Of axial slices of all contrasts, in mm.")] = None,
    susceptibility: Annotated[
        bool, typer.Option(help="Add a local field (ppm), and the susceptibility (ppm) that makes it.")
    ] = False,
    without: Annotated[
        list[str] | None, typer.Option(help="What real images show beside lesions, left out, by name. Repeatable.")
    ] = None,
    misaligned: Annotated[
        bool, typer.Option(help="T1w, T2w and PDw of half of the subjects up to a voxel away from FLAIR.")
    ] = False,
    first_subject: Annotated[int, typer.Option(min=1, help="Number of the first subject.")] = 1,
) -> None:
    """Simulate T1w, T2w, FLAIR and PDw images of brains with multiple sclerosis lesions.

    With --heads, real T1w, T2w and FLAIR images get the lesions of --lesion-masks.
    What is bright beside lesions, and what scanners do, can be left out by name with --without: bright_cortex,
    bright_vessels, choroid_plexus, csf_flow, diffuse_change, ghosts, halos, loose_mask,
    perivascular_spaces, pineal_gland, raters_border, septum, smoothing, thick_slices, ventricle_rims.
    """
    require_empty(output)
    if slice_thickness is not None and not spacing <= slice_thickness <= THICKEST:
        problem = f"not from the spacing of {spacing:g} to {THICKEST:g} mm"
        raise InputError.at(f"--slice-thickness {slice_thickness:g}", problem, "give another thickness")
    if heads is not None and lesion_masks is None:
        raise InputError.at("--heads", "needs lesions to plant", "give a folder of masks with --lesion-masks")
    if heads is not None and (without or misaligned):
        option = "--without" if without else "--misaligned"
        raise InputError.at(option, "changes simulated heads, not those of --heads", "leave one of both out")
    for folder in (*(anatomies or ()), lesion_masks, heads):
        if folder is not None and not folder.is_dir():
            raise InputError.at(folder, "no such folder", "check its path")
    _check_names(without or ())
    if misaligned and "misalignment" in (without or ()):
        raise InputError.at("--misaligned", "does not go with --without misalignment", "give one of them")
    with staged(output) as stage, ProgressBars() as bars:
        shared: dict[str, Any] = {"n_subjects": subjects, "seed": seed, "progress": partial(bars, "simulating")}
        if heads is not None and lesion_masks is not None:
            from ..simulation.implantation import implant_dataset

            names = implant_dataset(stage, heads, lesion_masks, subjects=head, **shared)
        else:
            from ..simulation.cohort import simulate_dataset

            names = simulate_dataset(
                stage,
                spacing=spacing,
                anatomies=anatomies,
                lesion_masks=lesion_masks,
                skull=skull,
                slice_thickness=slice_thickness,
                first_subject=first_subject,
                susceptibility=susceptibility,
                without=without or (),
                misaligned=misaligned,
                **shared,
            )
    kind = "subject" if len(names) == 1 else "subjects"
    console().print(f"{len(names)} simulated {kind} in {output} ({names[0]} to {names[-1]})")


def _check_names(without: Sequence[str]) -> None:
    from ..simulation.effects import EFFECTS

    if unknown := sorted(set(without) - set(EFFECTS)):
        raise InputError.at(f"--without {unknown[0]}", "is no effect", f"choose from {', '.join(EFFECTS)}")
