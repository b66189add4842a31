"""`hallmark render`: values and manifests with what Terraform made in them."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from hallmark.cli.app import App
from hallmark.errors import UsageError
from hallmark.evidence.files import write_text
from hallmark.twin.release import values

TEMPLATE = ".template"
KINDS = (".yaml", ".yml")


@click.command()
@click.argument("sources", metavar="FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where to.")
@click.option(
    "--outputs", type=click.File("rb"), help="What terraform output -json printed, or -. Default: the twin's."
)
@click.pass_obj
def render(app: App, sources: tuple[Path, ...], output: Path, outputs: IO[bytes] | None) -> None:
    """Fill in values and manifests: ${bucket_name} becomes Terraform's output of that name.

    Of a folder all YAML files are rendered. values.template.yaml is written as values.yaml. The outputs are those of
    the twin, unless --outputs gives others.

    \b
    Examples:
      hallmark render values.template.yaml manifests -o rendered
      terraform -chdir=terraform/baseline output -json | hallmark render manifests -o rendered --outputs -
    """  # noqa: D301  (\b is click's mark for a paragraph it must not wrap)
    known = _read(outputs) if outputs else _of_twin(app)
    rendered = {output / name: _rendered(file, known) for source in sources for file, name in _files(source)}
    if over := [file for file in rendered if file.resolve() in {each.resolve() for each in _all(sources)}]:
        raise UsageError(f"{over[0]} would be written over.", "choose another folder with -o")
    for file, text in rendered.items():
        write_text(file, text)
        app.console.print(str(file), markup=False, soft_wrap=True)


def _of_twin(app: App) -> Mapping[str, Any]:
    if app.settings().target != "twin":
        hint = "terraform -chdir=terraform/baseline output -json | hallmark render … --outputs -"
        raise UsageError("only the twin's outputs are known without being told.", hint)
    return app.twin.outputs()


def _read(file: IO[bytes]) -> Mapping[str, Any]:
    """Read what Terraform printed, or one of its state files."""
    try:
        content = json.loads(file.read())
    except ValueError:
        content = None
    found = content.get("outputs", content) if isinstance(content, Mapping) else None
    if isinstance(found, Mapping) and all(isinstance(one, Mapping) and "value" in one for one in found.values()):
        return found
    raise UsageError("--outputs gives no outputs of Terraform.", "terraform -chdir=terraform/baseline output -json")


def _rendered(file: Path, outputs: Mapping[str, Any]) -> str:
    try:
        return values.render(file.read_text(encoding="utf-8"), outputs)
    except UsageError as error:
        raise UsageError(f"{file}: {error.message}", error.hint) from error


def _files(source: Path) -> Iterator[tuple[Path, Path]]:
    """Yield each file of a source, and its name in the result."""
    if source.is_file():
        yield source, Path(source.name.replace(TEMPLATE, ""))
        return
    for file in sorted(file for file in source.rglob("*") if file.suffix in KINDS):
        name = file.relative_to(source.parent)
        yield file, name.with_name(name.name.replace(TEMPLATE, ""))


def _all(sources: tuple[Path, ...]) -> list[Path]:
    return [file for source in sources for file, _ in _files(source)]
