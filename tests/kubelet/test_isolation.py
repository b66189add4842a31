"""Programs are the standard library and our own code, and the catalogue names only programs that exist."""

import importlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from hallmark.twin import programs

FOLDER = Path(programs.__file__).parent
SCRIPT = """
import importlib, json, sys
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
roots = {name.partition(".")[0] for name in sys.modules}
print(json.dumps(sorted(roots - set(sys.stdlib_module_names) - {"__main__", "hallmark"})))
print(json.dumps(sorted(name for name in sys.modules if name.startswith("hallmark."))))
"""


def modules() -> list[str]:
    """All modules of programs."""
    found = [each.relative_to(FOLDER).with_suffix("") for each in FOLDER.rglob("*.py")]
    return sorted(".".join(("hallmark.twin.programs", *each.parts)).removesuffix(".__init__") for each in found)


def test_programs_need_the_standard_library_alone() -> None:
    """Every program can be imported without site-packages, and pulls nothing else in but the one way to wait."""
    command = [sys.executable, "-I", "-S", "-c", SCRIPT, str(FOLDER.parents[2]), *modules()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    foreign, ours = (json.loads(line) for line in done.stdout.splitlines())

    assert len(modules()) > 10
    assert foreign == []
    others = [name for name in ours if not name.startswith("hallmark.twin.programs")]
    assert others == ["hallmark.twin", "hallmark.waiting"]


def test_every_program_of_the_catalogue_exists() -> None:
    """Each program named in the catalogue is a module with a function main."""
    images = tomllib.loads((FOLDER / "catalog.toml").read_text())["images"]
    named = {part["program"] for image in images for part in (image, *image.get("roles", [])) if "program" in part}

    assert len(named) > 5
    modules = [name if name.startswith("hallmark.") else f"hallmark.twin.programs.{name}" for name in sorted(named)]
    assert [name for name in modules if not callable(importlib.import_module(name).main)] == []


def test_nothing_here_starts_a_program_of_this_machine() -> None:
    """No module of the programs names a way to start another program."""
    ways = re.compile(r"\b(subprocess|popen|pty|eval|exec)\b[.(]|\bos\.(system|exec|spawn|posix_spawn)")
    texts = {file.name: file.read_text() for file in FOLDER.rglob("*.py")}

    assert [(name, found[0]) for name, text in texts.items() if (found := ways.search(text))] == []
