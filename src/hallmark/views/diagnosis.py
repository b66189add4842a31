"""What a learner wrote down of an incident, in ``work/<lab>/diagnosis.toml``: evidence, and the cause it proves."""

from collections.abc import Mapping
from typing import Any

from hallmark.errors import Absent, Miss
from hallmark.views.base import View


class Diagnosis(View):
    """The learner's file."""

    def require(self, lab: str, table: str, answers: Mapping[str, object], asked: Mapping[str, str]) -> None:
        """Hold one table of the file against what is right. Answers come from closed lists, so no wording is judged.

        Args:
            lab: Whose file it is.
            table: For example ``diagnosis``.
            answers: What is right, by name.
            asked: What each name asks for; a name that is missing asks for what the incident showed.

        Raises:
            Miss: The file is missing, or its first answer that is not right.
        """
        written = self.table(lab, table)
        for name, value in answers.items():
            given = written.get(name)
            # To TOML true is not 1, to Python it is.
            if given != value or type(given) is not type(value):
                raise Miss(
                    expected=asked.get(name, f"{name} as the cluster showed it during the incident"),
                    observed=repr(written.get(name, "nothing")),
                    where=f"{file_of(lab)} [{table}]",
                    next=f"hallmark lab hint {lab}",
                )

    def table(self, lab: str, name: str) -> Mapping[str, Any]:
        """Return one table of the file.

        Raises:
            Miss: There is no file.
        """
        file = file_of(lab)
        try:
            found = self.ask("files", "table", path=file).get(name, {})
        except Absent as absent:
            hint = f"hallmark lab start {lab}"
            raise Miss(expected=f"the file {file}", observed="none", where=file, next=hint) from absent
        return found if isinstance(found, dict) else {}


def file_of(lab: str) -> str:
    """Where a learner writes down what was found."""
    return f"work/{lab}/diagnosis.toml"
