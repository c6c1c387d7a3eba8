"""Tests of scripts.convert_weights."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from monai.bundle import ConfigParser

Run = Callable[..., int]


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of RCAN's channel attention."""
    generator = torch.Generator().manual_seed(0)
    shapes = {"0.weight": (2, 8, 1, 1), "0.bias": (2,), "2.weight": (8, 2, 1, 1), "2.bias": (8,)}
    weights = {f"module.conv_du.{name}": torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    torch.save({"epoch": 3, "state_dict": weights}, tmp_path / "original.pth")
    return tmp_path / "original.pth"


def test_writes_a_file_from_which_the_network_can_be_built(
    checkpoint: Path, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "new folder" / "converted.pt"
    assert run_command("convert-weights", "channel-attention", checkpoint, "--output", output) == 0
    assert "mri_attention.networks.blocks.ChannelAttention" in capsys.readouterr().out
    content = torch.load(output, weights_only=True)
    assert set(content) == {"network", "config", "state_dict", "model"}
    assert content["model"].keys() == content["state_dict"].keys()
    parser = ConfigParser({"network": {"_target_": content["network"], **content["config"]}})
    network = parser.get_parsed_content("network")
    network.load_state_dict(content["state_dict"])
    original = torch.load(checkpoint, weights_only=True)["state_dict"]
    x = torch.randn(2, 8, 5, 7)
    first, second = (original[f"module.conv_du.{i}.weight"].flatten(1) for i in (0, 2))
    biases = (original[f"module.conv_du.{i}.bias"] for i in (0, 2))
    hidden = (x.mean((2, 3)) @ first.T + next(biases)).relu()
    weights = (hidden @ second.T + next(biases)).sigmoid()
    torch.testing.assert_close(network(x), x * weights[..., None, None])


def broken(folder: Path, content: object) -> Path:
    file = folder / "broken.pth"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        torch.save(content, file)
    return file


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "broken.pth: cannot be read as weights"),
        (b"no weights", "broken.pth: cannot be read as weights"),
        (b"PK\x03\x04 no zip file", "broken.pth: cannot be read as weights"),
        ([1, 2], "broken.pth: cannot be read as weights"),
        (Path("of code"), "broken.pth: cannot be read as weights"),
        ({"epoch": 3}, "broken.pth: state_dict must hold tensors by name"),
        ({"W": torch.zeros(3)}, "broken.pth: no weights of channel-attention: missing conv_du.0.weight"),
    ],
    ids=["empty", "text", "zip", "list", "object", "numbers", "other"],
)
def test_unusable_files_end_with_one_line(
    content: object, message: str, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("channel-attention", broken(tmp_path, content), "--output", tmp_path / "new.pt")
    assert run_command("convert-weights", *arguments) == 2
    errors = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1
    assert message in errors[0]
    assert [p.name for p in tmp_path.iterdir()] == ["broken.pth"]


def test_unknown_original_lists_the_known_ones(
    checkpoint: Path, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("convert-weights", "rcan", checkpoint, "--output", tmp_path / "new.pt") == 2
    assert "rcan: not a known original; choose one of rsa-block, " in capsys.readouterr().err


@pytest.mark.parametrize("name", ["original.pth", "taken.pt"])
def test_overwrites_nothing(
    name: str, checkpoint: Path, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken.pt").touch()
    before = (tmp_path / name).read_bytes()
    assert run_command("convert-weights", "channel-attention", checkpoint, "--output", tmp_path / name) == 2
    assert f"{name}: is there already" in capsys.readouterr().err
    assert (tmp_path / name).read_bytes() == before


@pytest.mark.parametrize("file", ["none.pth", "."])
def test_missing_files_are_named(
    file: str, tmp_path: Path, run_command: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command("convert-weights", "da-cam", tmp_path / file, "--output", tmp_path / "new.pt") == 2
    assert "no such file of weights" in capsys.readouterr().err
