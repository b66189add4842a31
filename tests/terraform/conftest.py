"""Terraform by itself, without the twin: only its providers have to come from somewhere."""

import os

import pytest

from hallmark.twin.terraform import provider_settings


@pytest.fixture(scope="session", autouse=True)
def _providers(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Use the provider mirror that the documented setting names, if it is set."""
    os.environ.update(provider_settings(tmp_path_factory.mktemp("providers")))
