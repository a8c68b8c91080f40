"""Tests of a counter."""

import pytest


def test_it_counts(ask):
    first = ask()
    assert ask() == first + 1


@pytest.mark.parametrize("least", [1])
def test_it_begins_with_one(ask, least, tmp_path, capsys):
    (tmp_path / "scratch").write_text("kept apart")
    assert ask() >= least
