"""An exported bundle as MONAI Label's app takes it: configs of its own, one file of weights, labels that exist."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def adapt_to_app(folder: Path) -> None:
    """Change the exported bundle in ``folder`` into one for MONAI Label's app alone.

    The configs in ``configs/monailabel/`` go where the app looks for them. It loads whatever ``models/*.pt`` its user
    chooses into the one network, offers a training where there is a config of that name, and takes the channels of any
    result for labels. So weights of other scales move to ``models/other_scales/``, a training without a config for the
    app goes, and a result that is an image gets no names of channels.
    """
    configs = folder / "configs"
    for name in ("inference", "train"):
        own = configs / "monailabel" / f"{name}.json"
        for file in configs.glob(f"{name}.*"):
            file.unlink()
        if own.is_file():
            own.rename(configs / own.name)
    _set_weights_aside(folder / "models")
    metadata = json.loads((configs / "metadata.json").read_text(encoding="utf-8"))
    for output in metadata["network_data_format"]["outputs"].values():
        if output["format"] != "segmentation":
            output["channel_def"] = {}
    (configs / "metadata.json").write_text(json.dumps(metadata, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _set_weights_aside(models: Path) -> None:
    for file in sorted(models.glob("*.pt")):
        if file.name != "model.pt":
            (models / "other_scales").mkdir(exist_ok=True)
            file.rename(models / "other_scales" / file.name)


if __name__ == "__main__":
    adapt_to_app(Path(sys.argv[1]))
