"""The HTML scorecard is one file without requests or scripts, and can be read by eye, by ear and by keyboard."""

import re
from collections.abc import Callable, Iterable
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise

import pytest

from hallmark.model import Result, Scorecard, Verdict
from hallmark.reference import Reference
from hallmark.reporting.html import render

MakeCard = Callable[[Iterable[Result]], Scorecard]
VOID = {"meta", "link", "br", "img", "input", "hr"}
Attributes = dict[str, str]


class Page(HTMLParser):
    """What a browser makes of a document, as far as the claims below need it. Fails on tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, Attributes, tuple[str, ...]]] = []
        self.words: list[tuple[str, tuple[str, ...]]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag with the tags around it."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}, tuple(self._open)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}, tuple(self._open)))

    def handle_endtag(self, tag: str) -> None:
        """Every tag closes the one that was opened last."""
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text with the tags around it."""
        self.words.append((data, tuple(self._open)))

    def named(self, *names: str) -> list[Attributes]:
        """Return the attributes of every tag of these names."""
        return [attributes for tag, attributes, _ in self.tags if tag in names]

    def text(self) -> str:
        """Return the words of the page, without its style."""
        return " ".join("".join(word for word, around in self.words if "style" not in around).split())


@pytest.fixture
def page(any_card: Scorecard, reference: Reference) -> Page:
    """The page of each hand-made scorecard."""
    return Page(render(any_card, reference))


def test_the_file_asks_for_nothing(page: Page) -> None:
    """No script, no frame, no form, no event handler, no address but a place on the page itself."""
    names = {tag for tag, _, _ in page.tags}
    assert not names & {"script", "iframe", "object", "embed", "form", "img", "base", "video", "audio"}
    for _, attributes, _ in page.tags:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("href", "src", "xlink:href", "srcset", "action", "style"):
            assert re.fullmatch(r"#[\w-]+|data:,|", attributes.get(name, ""))
    css = files("hallmark.reporting").joinpath("templates/scorecard.css").read_text()
    assert "url(" not in css
    assert "@import" not in css
    (policy,) = [meta["content"] for meta in page.named("meta") if "http-equiv" in meta]
    assert policy.startswith("default-src 'none'")


def test_the_page_is_built_for_every_reader(page: Page) -> None:
    """Language, title, landmarks, a skip link that leads to the results, unique ids, links that lead somewhere."""
    assert [attributes.get("lang") for attributes in page.named("html")] == ["en"]
    for landmark in ("header", "main", "footer", "nav", "title"):
        assert len(page.named(landmark)) == 1
    ids = [attributes["id"] for _, attributes, _ in page.tags if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = page.named("a")
    assert links[0] == {"class": "skip", "href": "#main"}
    for attributes in [*links, *page.named("use")]:
        assert attributes["href"].removeprefix("#") in ids
    for attributes in page.named("section"):
        assert attributes["aria-labelledby"] in ids
    for _, attributes, _ in page.tags:
        if attributes.get("tabindex") == "0":  # what scrolls sideways can be reached and is named
            assert attributes["role"] == "region"
            assert attributes["aria-labelledby"] in ids
    for attributes in page.named("svg"):
        assert attributes.get("aria-hidden") == "true" or (attributes["role"] == "img" and attributes["aria-label"])


def test_headings_do_not_skip_a_level(page: Page) -> None:
    """One first-level heading, at the top, and no jump from the second to the fourth."""
    levels = [int(tag[1]) for tag, _, _ in page.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_tables_say_what_they_are(page: Page) -> None:
    """Each table has a caption and each header cell a scope."""
    assert len(page.named("caption")) == len(page.named("table"))
    assert {attributes.get("scope") for attributes in page.named("th")} <= {"row", "col"}


def test_what_was_observed_is_text(hostile_card: Scorecard, reference: Reference) -> None:
    """Markup in an observation is shown as it is, everywhere it appears, and the file can be written."""
    text = render(hostile_card, reference)
    text.encode("utf-8")
    page = Page(text)
    assert page.text().count("</td><script>alert(1)</script><img src=http://evil.example/x") > 20
    assert not re.search("[\x00-\x08\x0b-\x1f\u202e]", text)


def test_nothing_is_left_out(mixed: Scorecard, reference: Reference) -> None:
    """The page has the disclaimer, every requirement, and of each miss all that helps."""
    text = Page(render(mixed, reference)).text()
    assert reference.clauses["SB-9"].text in text
    for result in mixed.results:
        check = result.check
        values = [check.title, result.note, result.expected, result.observed, result.where, result.next, result.code]
        values += [check.why, check.page] if result.verdict in {Verdict.FAIL, Verdict.ERROR} else []
        for value in values:
            assert value in text


def test_the_page_names_no_account(mixed: Scorecard, a_card: MakeCard, reference: Reference) -> None:
    """The account of the target is not on the page (an ARN in a finding is a finding)."""
    passed = a_card(result for result in mixed.results if result.verdict is Verdict.PASS)
    assert "999988887777" not in render(passed, reference)


def test_a_verdict_is_a_word_and_a_shape(mixed: Scorecard, reference: Reference) -> None:
    """Each badge holds its word and a shape of its own, so that colour is never needed."""
    text = render(mixed, reference)
    badges = re.findall(r'<span class="badge (\w+)"><svg [^>]*><use href="#shape-(\w+)"/></svg>([\w ]+)</span>', text)
    assert len(badges) == text.count('class="badge')
    assert {verdict for verdict, _, _ in badges} == {verdict.lower() for verdict in Verdict}
    assert all(look == shape == word.lower().replace(" ", "_") for look, shape, word in badges)
    shapes = re.findall(r'<symbol id="shape-\w+"[^>]*>(.*?)</symbol>', text)
    assert len(set(shapes)) == len(Verdict)


def test_passed_checks_are_folded_on_screen_and_open_on_paper(mixed: Scorecard, reference: Reference) -> None:
    """Passed checks are in a closed block; the print rules open it and drop the navigation."""
    text = render(mixed, reference)
    page = Page(text)
    assert page.named("details") == [{}]
    inside = "".join(word for word, around in page.words if "details" in around)
    assert all(result.check.title in inside for result in mixed.results if result.verdict is Verdict.PASS)
    paper = text[text.index("@media print") :]
    assert "details::details-content { content-visibility: visible; block-size: auto; }" in paper
    assert ".skip, nav { display: none; }" in paper


def test_the_same_scorecard_is_the_same_page(any_card: Scorecard, reference: Reference) -> None:
    """No clock and no chance: the page is a function of the scorecard."""
    assert render(any_card, reference) == render(any_card, reference)


def luminance(colour: str) -> float:
    """Relative luminance of ``#rrggbb`` by WCAG 2.2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours by WCAG 2.2."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def palettes() -> dict[str, dict[str, str]]:
    """Return the colours of the stylesheet by scheme."""
    css = files("hallmark.reporting").joinpath("templates/scorecard.css").read_text()
    light, dark, paper = (
        dict(re.findall(r"--([\w-]+): (#\w{6});", block)) for block in re.findall(r":root \{[^}]+}", css)
    )
    return {"light": light, "dark": light | dark, "paper": light | paper}


@pytest.mark.parametrize("scheme", ["light", "dark", "paper"])
@pytest.mark.parametrize("ground", ["ground", "paper", "inset"])
def test_every_colour_of_text_can_be_read(scheme: str, ground: str) -> None:
    """Text reaches 4.5 : 1 on every ground it may stand on (WCAG AA); the edge of the focus and of rows 3 : 1."""
    palette = palettes()[scheme]
    assert set(palette) >= {"ink", "soft", "link", "accent", "pass", "fail", "blocked", "error", "edge"}
    for name in ("ink", "soft", "link", "accent", "pass", "fail", "blocked", "error"):
        assert contrast(palette[name], palette[ground]) >= 4.5, name
    assert contrast(palette["edge"], palette[ground]) >= 3


def test_the_contrast_formula_is_the_published_one() -> None:
    """Black on white is 21 : 1, and #767676 on white is the well-known edge of 4.54 : 1."""
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
