"""The pytest side of a grade, and the only module that imports pytest.

A check is a pytest test marked ``check``::

    @pytest.mark.check("NET-5", points=3, requires=["postgres_found"], why="A public database …")
    def test_postgres_private(data):
        \"\"\"The database is not reachable from the internet.\"\"\"

Its id is ``<lab>/postgres_private``. Its parameters name views. It returns to pass, raises
:class:`hallmark.errors.Miss` to fail, and may return a sentence as a note.
"""

import contextlib
import io
import os
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from hallmark.errors import AuthorError
from hallmark.evidence.collect import Growing, Question
from hallmark.evidence.snapshot import Snapshot
from hallmark.grading.judge import Check, judge, ordered
from hallmark.model import CheckSpec, Level, Result, Verdict
from hallmark.reference import Reference
from hallmark.views.all import NAMES, Views

Gather = Callable[[Callable[[Growing], Sequence[Question]]], Snapshot]
"""Given the questions of the checks, returns evidence: collected now, or read from a file."""
_ORDER = tuple(Level)


def grade(
    grader: Path, reference: Reference, gather: Gather, progress: Callable[[Result], None] = lambda _: None
) -> tuple[list[Result], Snapshot]:
    """Run the grader in folder *grader* through pytest.

    Args:
        grader: ``graders/<lab>``.
        reference: The clauses checks refer to.
        gather: Provides evidence once the checks are known.
        progress: Called with each result.

    Returns:
        Results in running order, and the evidence they rest on.

    Raises:
        AuthorError: The grader cannot be imported, or a check declares something wrong.
    """
    run = _Run(grader, reference, gather, progress)
    _pytest([str(grader)], run)
    return list(run.results.values()), run.evidence


def checks(grader: Path, reference: Reference) -> list[Check]:
    """Return the checks of *grader* in running order, without a target: listing never touches the world."""
    run = _Run(grader, reference, None)
    _pytest([str(grader), "--collect-only"], run)
    return run.checks


def questions(selected: Sequence[Check]) -> Callable[[Growing], Sequence[Question]]:
    """Turn checks into what a collection tries: the checks themselves (see :mod:`hallmark.evidence.collect`)."""

    def over(evidence: Growing) -> Sequence[Question]:
        views = Views(evidence)
        return [_question(check, views) for check in selected]

    return over


def _question(check: Check, views: Views) -> Question:
    return lambda: check.run(views)


class _Run:
    """The plugin object of one pytest run."""

    def __init__(
        self,
        grader: Path,
        reference: Reference,
        gather: Gather | None,
        progress: Callable[[Result], None] = lambda _: None,
    ) -> None:
        self.lab = grader.name
        self.results: dict[str, Result] = {}
        self.evidence = Snapshot()
        self.checks: list[Check] = []
        self.failure: BaseException | None = None
        self.collection_errors: list[str] = []
        self._reference = reference
        self._gather = gather
        self._progress = progress
        self._items: dict[int, Check] = {}

    def pytest_configure(self, config: pytest.Config) -> None:
        """Register the mark, so that strict marker checking knows it."""
        config.addinivalue_line("markers", "check(*clauses, points, requires, why, page): a check of a grader")

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Keep what went wrong while importing a grader."""
        if report.failed:
            self.collection_errors.append(str(report.longrepr).strip().splitlines()[-1])

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Turn tests into checks and put prerequisites first."""
        with self._kept():
            pairs = [(item, self._check(item)) for item in items if isinstance(item, pytest.Function)]
            self.checks = ordered(check for _, check in pairs)
            by_id = {check.spec.id: item for item, check in pairs}
            items[:] = [by_id[check.spec.id] for check in self.checks]
            self._items = {id(by_id[check.spec.id]): check for check in self.checks}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the evidence once all checks are known."""
        if self._gather and not session.config.option.collectonly and not self.collection_errors:
            with self._kept():
                self.evidence = self._gather(questions(self.checks))
                self.views = Views(self.evidence)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Carry a Ctrl-C out: pytest would end in order, and what was judged so far would look like a grade."""
        if excinfo.type is KeyboardInterrupt:  # pytest derives its own reasons to stop from it
            self.failure = self.failure or excinfo.value

    @pytest.hookimpl(tryfirst=True)
    def pytest_pyfunc_call(self, pyfuncitem: pytest.Function) -> bool:
        """Judge instead of calling: four verdicts, where pytest knows two."""
        check = self._items[id(pyfuncitem)]
        result = judge(check, self.views, self.results)
        self.results[check.spec.id] = result
        self._progress(result)
        if result.verdict is not Verdict.PASS:
            pytest.fail(f"{result.verdict}: {result.observed or result.cause}", pytrace=False)
        return True

    @contextlib.contextmanager
    def _kept(self) -> Generator[None]:
        """Carry an error out of pytest unchanged; inside, it would become pytest's own."""
        try:
            yield
        except BaseException as error:
            self.failure = error
            raise pytest.exit.Exception(str(error)) from error

    def _check(self, item: pytest.Function) -> Check:
        mark = item.get_closest_marker("check")
        if mark is None:
            raise AuthorError(f"{self.lab}/{item.name}: every test of a grader is marked with pytest.mark.check.")
        return Check(self._spec(item, mark), item.function)

    def _spec(self, item: pytest.Function, mark: pytest.Mark) -> CheckSpec:
        name = f"{self.lab}/{item.originalname.removeprefix('test_')}"
        title = (item.function.__doc__ or "").strip().split("\n")[0]
        unknown = [clause for clause in mark.args if clause not in self._reference.clauses]
        if not mark.args or unknown or not title or not mark.kwargs.get("why"):
            raise AuthorError(f"{name}: a check needs clauses of the reference, a docstring and a why.")
        levels = [self._reference.clauses[clause].level for clause in mark.args]
        return CheckSpec(
            id=name,
            title=title,
            clauses=tuple(mark.args),
            level=min(levels, key=_ORDER.index),
            points=mark.kwargs.get("points", 1),
            requires=tuple(f"{self.lab}/{other}" for other in mark.kwargs.get("requires", ())),
            why=mark.kwargs["why"],
            page=mark.kwargs.get("page", f"generated/clauses/#{mark.args[0].lower()}"),
        )


def _fixture(name: str) -> Any:
    def view(self: _Run) -> object:
        return getattr(self.views, name)

    view.__doc__ = f"The view {name}."
    return pytest.fixture(name=name)(view)


for _name in NAMES:
    setattr(_Run, f"view_{_name}", _fixture(_name))


def _pytest(arguments: list[str], run: _Run) -> None:
    """Run pytest on a grader, quietly and apart from whatever configuration and plugins surround it."""
    folder = Path(arguments[0]).resolve()
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "-c", os.devnull, "--import-mode=importlib"]
    # No unraisable exceptions: looking for them collects all garbage at the end, half a second after the answer.
    quiet += ["--disable-plugin-autoload", "-p", "no:unraisableexception"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        pytest.main([*arguments, *quiet, f"--rootdir={folder.parent}"], plugins=[run])
    _forget(folder)
    if run.failure:
        raise run.failure
    if run.collection_errors:
        raise AuthorError(f"graders/{run.lab} cannot be loaded: {run.collection_errors[0]}")
    if not run.checks:
        raise AuthorError(f"graders/{run.lab} holds no check.", "See CONTRIBUTING.md, 'Add a check'.")


def _forget(folder: Path) -> None:
    """Drop the modules of a grader: the folder of the same name in another clone is another grader."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file and Path(file).is_relative_to(folder):
            del sys.modules[name]
