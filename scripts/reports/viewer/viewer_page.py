"""A page with a viewer in one file, which needs no other file and no network."""

from __future__ import annotations

import base64
import gzip
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from numpy.typing import NDArray

from ....metrics.lesion_places import UNKNOWN, Lesion
from .shown_volumes import Shown
from .volume_packing import Packed, pack

FOLDER = Path(__file__).parent
SIDES = ("RL", "AP", "SI")
"""Letters of positive and negative places along the axes."""


@dataclass(frozen=True)
class ViewerPage:
    """What a page shows.

    Attributes:
        title: name of the case.
        finding: line below it.
        affine: of all volumes (RAS, mm).
        images: of which one is shown at a time.
        overlays: masks and probabilities to be laid over it.
        lesions: to jump to, None where the page is not about lesions.
        first: number of the image that is shown first.
        files: names of the files that hold the numbers.
        facts: name and value.
    """

    title: str
    finding: str
    affine: NDArray[np.float64]
    images: Sequence[Shown]
    overlays: Sequence[Shown] = ()
    lesions: Sequence[Lesion] | None = None
    first: int = 0
    files: Sequence[str] = ()
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def has_places(self) -> bool:
        """Whether the place of a lesion in the brain is known."""
        return any(lesion.place != UNKNOWN for lesion in self.lesions or ())

    @property
    def has_probabilities(self) -> bool:
        """Whether the probability of a lesion is known."""
        return any(not math.isnan(lesion.probability) for lesion in self.lesions or ())

    @cached_property
    def packed(self) -> Packed:
        """Images and overlays as a page holds them."""
        return pack([*self.images, *self.overlays], self.affine)


def write_page(page: ViewerPage, path: Path) -> Path:
    """Write ``page`` to ``path``; the browser runs the scripts of this project alone, and loads nothing."""
    niivue = gzip.decompress((FOLDER / "niivue.js.gz").read_bytes()).decode()
    script, style = (_text(name) for name in ("viewer.js", "viewer.css"))
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["place"] = place_text
    html = environment.get_template("viewer.html.j2").render(
        page=page,
        facts=_facts(page),
        data=_data(page),
        policy=_policy([niivue, script], style),
        style=style,
        script=script,
        niivue=niivue,
        licences=_text("LICENSE-niivue.txt"),
    )
    path.write_text(html, encoding="utf-8", newline="\n")
    return path


def place_text(center: Sequence[float]) -> str:
    """Return a place (RAS, mm) in whole mm, with the sides.

    Example:
        >>> place_text((-16.2, 4.0, 0.0))
        'L 16 A 4 S 0'
    """
    return " ".join(f"{side[value < 0]} {abs(value):.0f}" for side, value in zip(SIDES, center, strict=True))


def _text(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _data(page: ViewerPage) -> dict[str, Any]:
    """Return what the script reads."""
    packed = page.packed
    middle = (packed.affine @ [*((np.array(packed.shape) - 1) // 2), 1])[:3].tolist()
    centers = [lesion.center for lesion in page.lesions or ()]
    volumes = [
        {
            "name": volume.name,
            "window": volume.window,
            "unit": volume.unit,
            "colors": volume.colors,
            "nifti": base64.b64encode(file).decode(),
        }
        for volume, file in zip([*page.images, *page.overlays], packed.files, strict=True)
    ]
    n_images = len(page.images)
    parts = {"images": volumes[:n_images], "overlays": volumes[n_images:], "lesions": centers}
    return {**parts, "first": page.first, "start": centers[0] if centers else middle}


def _facts(page: ViewerPage) -> dict[str, str]:
    sizes = " x ".join(f"{size:.2f}" for size in np.linalg.norm(page.packed.affine[:3, :3], axis=0))
    shown = f"{' x '.join(map(str, page.packed.shape))} voxels of {sizes} mm, cropped to the head"
    if max(page.packed.shrunk) > 1:
        factors = " x ".join(map(str, page.packed.shrunk))
        shown += f"; {factors} voxels of the files are averaged to one, so that this page stays small"
    return {**page.facts, "Shown": shown}


def _policy(scripts: Sequence[str], style: str) -> str:
    """Return the rules that the browser keeps: no network, and no script but these."""
    sums = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (*scripts, style)]
    allowed = [f"'sha256-{each}'" for each in sums]
    return (
        f"default-src 'none'; script-src {' '.join(allowed[:-1])}; style-src {allowed[-1]}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
