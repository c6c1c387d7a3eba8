import pytest

from mri_attention.scripts.terminal.value_lists import repeated


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("in out --label 01 02 --other x", "in out --label 01 --label 02 --other x"),
        ("--label 01 --label 02", "--label 01 --label 02"),
        ("--other x y --label 01", "--other x y --label 01"),
        ("--label 01 02 -- --label 03 04", "--label 01 --label 02 -- --label 03 04"),
        ("--label=01 in", "--label=01 in"),
    ],
)
def test_an_option_is_repeated_before_each_of_its_values(words: str, expected: str) -> None:
    assert repeated(words.split(), ["--label"]) == expected.split()
