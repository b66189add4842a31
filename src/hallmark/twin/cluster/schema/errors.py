"""What goes wrong when an object is changed."""


class BadPatch(Exception):
    """A patch cannot be applied.

    Args:
        message: What is wrong, in the words of the real server.

    Attributes:
        invalid: The patch is well-formed but does not fit the object: 422 instead of 400.
    """

    def __init__(self, message: str, *, invalid: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.invalid = invalid


class Conflict(Exception):
    """Fields that an apply wants to change belong to somebody else; the text is the real server's.

    Args:
        causes: Who and which field, by manager: ``("kubectl-set" using apps/v1, .spec.replicas)``, quotes included.

    Attributes:
        causes: The same.
    """

    def __init__(self, causes: list[tuple[str, str]]) -> None:
        super().__init__(_conflict(causes))
        self.causes = causes


class BadConfig(Exception):
    """A config cannot be applied: it contradicts itself. The real server answers 500 without a reason.

    Args:
        name: ``<namespace>/<name>; <version>, Kind=<kind>`` of what is applied.
        errors: What is wrong, each with its field.
    """

    def __init__(self, name: str, errors: list[str]) -> None:
        shown = errors[0] if len(errors) == 1 else "errors:\n" + "\n".join(f"  {each}" for each in errors)
        super().__init__(f"failed to create typed patch object ({name}): {shown}")


def _conflict(causes: list[tuple[str, str]]) -> str:
    if len(causes) == 1:
        manager, field = causes[0]
        return f"Apply failed with 1 conflict: conflict with {manager}: {field}"
    lines: list[str] = []
    for manager in dict.fromkeys(manager for manager, _ in causes):
        lines += [f"conflicts with {manager}:", *(f"- {field}" for other, field in causes if other == manager)]
    return f"Apply failed with {len(causes)} conflicts: " + "\n".join(lines)


class BadQuantity(ValueError):
    """A text is no quantity; the message is the real server's."""

    def __init__(self) -> None:
        super().__init__("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")
