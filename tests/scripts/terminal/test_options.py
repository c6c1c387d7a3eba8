"""Tests of scripts.terminal.options."""

import pytest

from mri_attention.scripts.cli import app
from mri_attention.scripts.terminal.options import in_options, options_of


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("a.nii: 1 NaN; repair it, or set `allow_nan` to true", "a.nii: 1 NaN; repair it, or give --allow-nan"),
        ("a.nii: no unit; give `b0` (T) and `echo_time` (s)", "a.nii: no unit; give --b0 (T) and --echo-time (s)"),
        ("`scale` 4: cannot do that; choose 2 or 3", "--scale 4: cannot do that; choose 2 or 3"),
        ("m.pt: no weights; give `model_file`", "m.pt: no weights; give --model"),
        ("set `field_unit` to hz", "set --field-unit to hz"),
        ("set `spacing` to true", "set `spacing` to true"),
    ],
)
def test_ids_with_an_option_become_the_option(message: str, expected: str) -> None:
    assert in_options(message, options_of(app, ["predict", "bundle"])) == expected


@pytest.mark.parametrize("arguments", [[], ["nonsense"]])
def test_there_are_no_options_without_a_command(arguments: list[str]) -> None:
    assert options_of(app, arguments) == {}
