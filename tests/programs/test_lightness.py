"""The kubelet asks which commands an image has, and is not to carry what they need."""

import subprocess
import sys

CODE = (
    "import sys; from hallmark.twin.kubelet.images import Catalogue; "
    "image = Catalogue.read().pull('docker.io/langchain/langsmith-backend:0.16.6'); "
    "heavy = {'psycopg', 'redis', 'starlette'} & sys.modules.keys(); "
    "print('saq' in image.program('queue', ()).commands, sorted(heavy))"
)


def test_names_of_commands_are_had_without_what_they_need() -> None:
    """Drivers and the web framework are for the containers."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)

    assert done.stdout.split(maxsplit=1) == ["True", "[]\n"]
