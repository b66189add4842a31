"""Every habit of the project, one sentence each: `nox -l` lists them."""

import hashlib
import os
from pathlib import Path

import nox

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["grade"]
nox.options.reuse_existing_virtualenvs = True
nox.options.stop_on_first_error = True

ROOT = Path(__file__).parent
PYTEST = ("pytest", "--dist", "loadgroup", "--no-loadscope-reorder")
QUIET = {"NO_MKDOCS_2_WARNING": "1"}  # the theme's advertisement for another generator


def install(session: nox.Session, *extras: str) -> None:
    """Install Hallmark with *extras* unless this environment already holds it, so that a second run starts at once."""
    wanted = (ROOT / "pyproject.toml").read_bytes() + ",".join(extras).encode()
    stamp, digest = Path(session.virtualenv.location) / "hallmark.installed", hashlib.sha256(wanted).hexdigest()
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != digest:
        session.install("-e", f".[{','.join(extras)}]" if extras else ".")
        stamp.write_text(digest, encoding="utf-8")


@nox.session
def grade(session: nox.Session) -> None:
    """Grade a lab; without arguments the whole reference on the twin, which is started if needed."""
    install(session, "twin")
    session.run("hallmark", "grade", *session.posargs, success_codes=[0])


@nox.session
def lab(session: nox.Session) -> None:
    """List, start, solve or finish labs: nox -s lab -- start edge-waf-rate-limit."""
    install(session, "twin")
    session.run("hallmark", "lab", *(session.posargs or ["list"]))


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; the real Terraform is applied once and its snapshot serves all other tests."""
    install(session, "dev")
    # A third of the time is waiting, most of it for Terraform: three workers for the two cores of CI's machines.
    session.run(*PYTEST, "-n", "3", "-m", "not proof", *session.posargs)


@nox.session
def proofs(session: nox.Session) -> None:
    """Prove labs, faults and promises on whole twins, all of them or a share: nox -s proofs -- --share 3/8."""
    install(session, "dev")
    session.run(*PYTEST, "-n", "2", "-m", "proof", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, layers and Terraform formatting."""
    install(session, "dev")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("mypy")
    for lab in sorted(path.parent.name for path in ROOT.glob("labs/*/lab.toml")):
        # Labs share file names on purpose; each is a program of its own.
        code = [str(path) for tree in ("graders", "solutions") for path in sorted((ROOT / tree / lab).glob("*.py"))]
        session.run("mypy", *code)
    session.run("lint-imports")
    session.run("terraform", "fmt", "-check", "-recursive", "terraform", external=True)


@nox.session
def mutants(session: nox.Session) -> None:
    """Change one fact of the solution at a time and see whether the graders notice."""
    install(session, "twin")
    session.run("hallmark", "mutants", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Hold every kind of fault against what is documented and keep its figures: nox -s faults -- --times 3."""
    install(session, "twin")
    session.run("hallmark", "fault", "measure", "--keep", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure a grade, the twin's Kubernetes API and the whole twin, each figure beside its goal."""
    install(session, "dev")  # with LangSmith's SDK
    session.run("hallmark", "bench", *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """Load the twin with traces while a fault comes and goes every minute: nox -s soak -- --minutes 30."""
    install(session, "twin")
    session.run("hallmark", "soak", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site into site/, strictly."""
    install(session, "twin", "docs")
    session.run("hallmark", "docs", "docs/generated")
    session.run("mkdocs", "build", "--strict", *session.posargs, env=QUIET)


@nox.session(name="docs-serve")
def docs_serve(session: nox.Session) -> None:
    """Serve the site on this machine and rebuild it when a page changes."""
    install(session, "twin", "docs")
    session.run("hallmark", "docs", "docs/generated")
    session.run("mkdocs", "serve", "--dev-addr", os.environ.get("HALLMARK_DOCS", "127.0.0.1:8000"), env=QUIET)
