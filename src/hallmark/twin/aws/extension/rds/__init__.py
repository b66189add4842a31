"""RDS: what AWS answers of an instance, and what it refuses."""

from hallmark.twin.aws.extension.rds import answers, refusals


def install() -> None:
    """Change moto's RDS."""
    answers.install()
    refusals.install()
