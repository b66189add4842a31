"""A scorecard as one HTML file: no script, no request to anywhere, readable by eye, by ear, on paper and by keyboard.

The layout is ``templates/scorecard.html``, its look ``templates/scorecard.css``.
"""

from jinja2 import Environment, PackageLoader, StrictUndefined

from hallmark.model import Scorecard
from hallmark.reference import Reference
from hallmark.reporting.outline import clean, count, disclaimer, domain, outline, place, word

_environment = Environment(
    loader=PackageLoader("hallmark.reporting", "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=StrictUndefined,
)
_environment.filters["count"] = count
_environment.filters["word"] = word


def render(card: Scorecard, reference: Reference) -> str:
    """Return *card* as an HTML document. Whatever was observed is text, never markup."""
    template = _environment.get_template("scorecard.html")
    page = template.render(
        card=card,
        plan=outline(card, reference),
        place=place(card),
        clauses=reference.clauses,
        domain={result.check.id: domain(result, reference) for result in card.results},
        disclaimer=disclaimer(reference),
    )
    return clean(page)
