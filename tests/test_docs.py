"""The built site: complete, linked, silent towards the network, and without a word of the solutions."""

import ast
import html
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import pytest
import yaml

from hallmark import catalog, reference
from hallmark.cli.root import cli
from hallmark.cli.survey import all_checks
from hallmark.errors import Unobservable
from hallmark.policy import Policy, Request, decide
from hallmark.reporting import pages
from hallmark.targets.profile import Profile

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
WRITTEN = sorted(DOCS.glob("*.md"))
LOADS = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
}
LOADING_LINKS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch", "manifest", "modulepreload"}
SHORTEST_ANSWER = 24
"""Characters below which a line of a solution is too common to be an answer."""
READ = re.compile(r'"([a-z0-9-]+)",\s*"((?:describe|list|get|head|filter|lookup)_[a-z0-9_]+)"')
SERVICES = {"elbv2": "elasticloadbalancing", "elb": "elasticloadbalancing", "service-quotas": "servicequotas"}
ACTIONS = {
    # S3 names its permissions after the thing, not after the call (AWS service authorization reference, Amazon S3).
    "s3:headbucket": "s3:ListBucket",
    "s3:listbuckets": "s3:ListAllMyBuckets",
    "s3:getbucketencryption": "s3:GetEncryptionConfiguration",
    "s3:getbucketlifecycleconfiguration": "s3:GetLifecycleConfiguration",
    "s3:getpublicaccessblock": "s3:GetBucketPublicAccessBlock",
}
Place = tuple[str, str]
"""Group and resource of a list of the Kubernetes API."""
SECRETS = {("", "secrets")}
"""What the two questions about Secrets list: the release's own record, and facts about the others."""
EVENTS = {("", "events")}
"""What a grade only asks whether it may be listed (OBS-2)."""


@dataclass
class Page(HTMLParser):
    """What one built page holds.

    Attributes:
        ids: Anchors a link may point to.
        links: Targets of its links.
        loads: What a browser fetches by itself to show it.
        text: What a person can read.
    """

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    text: str = ""

    def __post_init__(self) -> None:
        """Prepare the parser itself."""
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note anchors, links and loads."""
        found = {name: value or "" for name, value in attrs}
        if found.get("id"):
            self.ids.add(found["id"])
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in LOADS and LOADS[tag] in found:
            self.loads.append(found[LOADS[tag]])
        if tag == "link" and LOADING_LINKS & set(found.get("rel", "").split()):
            self.loads.append(found.get("href", ""))

    def handle_data(self, data: str) -> None:
        """Keep the text."""
        self.text += data


@dataclass(frozen=True)
class Site:
    """The built site: its folder, and its pages by path."""

    folder: Path
    pages: dict[str, Page]

    @property
    def text(self) -> str:
        """All that was built and can be read, with single blanks: pages and the search index."""
        index = (self.folder / "search/search_index.json").read_text(encoding="utf-8")
        return squeezed("\n".join([*(page.text for page in self.pages.values()), html.unescape(index)]))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the site once, strictly, as `nox -s docs` does, away from the working tree."""
    work = tmp_path_factory.mktemp("docs")
    shutil.copytree(DOCS, work / "docs", ignore=shutil.ignore_patterns("generated"))
    shutil.copy(ROOT / "mkdocs.yml", work)
    pages.write(
        work / "docs/generated",
        root=ROOT,
        reference=reference.load(),
        labs=catalog.labs(ROOT),
        checks=all_checks(ROOT),
        command=cli,
    )
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    build = subprocess.run(command, cwd=work, env=environment, capture_output=True, text=True, check=False)
    assert build.returncode == 0, build.stderr
    return Site(work / "site", dict(parsed(work / "site")))


def parsed(folder: Path) -> Iterator[tuple[str, Page]]:
    """Parse every HTML file below *folder*."""
    for file in sorted(folder.rglob("*.html")):
        page = Page()
        page.feed(file.read_text(encoding="utf-8"))
        yield file.relative_to(folder).as_posix(), page


def squeezed(text: str) -> str:
    """Return *text* with every run of white space made one blank."""
    return " ".join(text.split())


def commands_in(page: Path) -> list[list[str]]:
    """Return every call of hallmark or nox that *page* shows, in blocks and in running text."""
    found = re.findall(
        r"(?:^ *|`|\(|&& )((?:hallmark|nox) [^`\n)\"&]+)", page.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [shlex.split(line, comments=True) for line in found]


def broken_links(site: Site) -> list[str]:
    """Return every link or load inside the site that leads nowhere."""
    broken = []
    for name, page in site.pages.items():
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or name == "404.html":
                continue
            path = (site.folder / name).parent / unquote(parts.path) if parts.path else site.folder / name
            path = (path / "index.html" if path.is_dir() else path).resolve()
            other = site.pages.get(path.relative_to(site.folder.resolve()).as_posix()) if path.is_file() else None
            if not path.is_file() or (parts.fragment and (other is None or parts.fragment not in other.ids)):
                broken.append(f"{name}: {link}")
    return broken


def answers() -> set[str]:
    """Return the lines only an author or an examiner knows: solutions, faults and mutants.

    Lines that the learner is handed anyway (start files, guides, the Terraform) are no secret.
    """
    closed = [*files_below(ROOT / "solutions")]
    closed += [file for file in files_below(ROOT / "graders") if re.match(r"fault|mutants", file.name)]
    handed_out = {
        line for folder in ("labs", "terraform") for file in files_below(ROOT / folder) for line in lines(file)
    }
    return {line for file in closed for line in lines(file)} - handed_out


def files_below(folder: Path) -> list[Path]:
    """Return the text files below *folder*."""
    kinds = {".py", ".md", ".toml", ".tf", ".tfvars", ".json", ".yaml", ".yml", ".sh", ".hcl", ""}
    return [file for file in sorted(folder.rglob("*")) if file.is_file() and file.suffix in kinds]


def lines(file: Path) -> list[str]:
    """Return the lines of *file* that are long enough to be told apart."""
    stripped = (squeezed(line.strip(" #*-|>")) for line in file.read_text(encoding="utf-8").splitlines())
    return [line for line in stripped if len(line) >= SHORTEST_ANSWER]


def leaked(text: str, secret: set[str]) -> list[str]:
    """Return the lines of *secret* that *text* holds."""
    return sorted(line for line in secret if line in text)


def test_every_internal_link_leads_somewhere(site: Site) -> None:
    """Files and anchors, in written and generated pages alike."""
    assert broken_links(site) == []


def test_nothing_is_loaded_from_another_host(site: Site) -> None:
    """No script, font, style, image or hint to the browser names a host; links people click may."""
    loads = {f"{name}: {load}" for name, page in site.pages.items() for load in page.loads}
    assert not [load for load in loads if re.search(r": (?:[a-z]+:)?//", load)]
    styles = "\n".join(file.read_text(encoding="utf-8") for file in site.folder.rglob("*.css"))
    assert not re.search(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//", styles)


def test_nothing_on_a_page_makes_the_theme_fetch_a_script(site: Site) -> None:
    """The theme fetches diagrams, star counts and emoji only for what these marks ask for."""
    for file in site.folder.rglob("*.html"):
        text = file.read_text(encoding="utf-8")
        for mark in ('class="mermaid"', 'data-md-component="source"', "twemoji.maxcdn", "polyfill"):
            assert mark not in text, file.name


def test_every_clause_decision_and_check_has_an_anchor(site: Site) -> None:
    """Guides, scorecards and reports link to them."""
    known = reference.load()
    assert {clause.lower() for clause in known.clauses} <= site.pages["generated/clauses/index.html"].ids
    assert {decision.lower() for decision in known.decisions} <= site.pages["generated/decisions/index.html"].ids
    wanted = {re.sub("[/_]", "-", check.id) for check in all_checks(ROOT)}
    assert wanted <= site.pages["generated/checks/index.html"].ids


def test_all_85_sharp_edges_have_an_anchor(site: Site) -> None:
    """The catalogue is complete, and a lab names only edges it has."""
    edges = {f"se-{number:02}" for number in range(1, 86)}
    assert {i for i in site.pages["sharp-edges/index.html"].ids if re.fullmatch(r"se-\d+", i)} == edges
    assert {edge.lower() for lab in catalog.labs(ROOT) for edge in lab.edges} <= edges


def test_every_lab_has_a_page_that_the_list_links_to(site: Site) -> None:
    """Adding a lab adds a page without a line in mkdocs.yml."""
    listed = site.pages["generated/labs/index.html"].links
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    for lab in catalog.labs(ROOT):
        assert f"{lab.id}/" in listed
        assert lab.title in site.pages[f"generated/labs/{lab.id}/index.html"].text
        assert lab.id not in settings


def test_the_page_a_check_sends_a_learner_to_exists(site: Site) -> None:
    """A miss ends with a page; it has to be there, at the right place."""
    for check in all_checks(ROOT):
        path, _, anchor = check.page.partition("#")
        page = site.pages.get(f"{path.strip('/')}/index.html")
        assert page, f"{check.id}: {check.page}"
        assert not anchor or anchor in page.ids, f"{check.id}: {check.page}"


def test_no_answer_reaches_the_site(site: Site) -> None:
    """Nothing of solutions, faults or mutants can be read or searched."""
    assert answers()
    assert leaked(site.text, answers()) == []
    names = {file.relative_to(site.folder).parts[0] for file in site.folder.rglob("*")}
    assert not names & {"solutions", "graders"}


def test_the_search_for_answers_would_find_one(site: Site) -> None:
    """A planted line of every closed file is noticed, however it is wrapped."""
    secret = answers()
    planted = site.text + " " + " ".join(sorted(secret))
    assert set(leaked(squeezed(planted), secret)) == secret


def test_the_search_for_broken_links_would_find_one(site: Site) -> None:
    """A missing page and a missing anchor are both noticed."""
    page = Page(links=["no-such-page/", "concepts/#no-such-anchor", "concepts/#verdicts"])
    assert broken_links(Site(site.folder, {**site.pages, "index.html": page})) == [
        "index.html: no-such-page/",
        "index.html: concepts/#no-such-anchor",
    ]


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: page.stem)
def test_every_command_in_the_docs_exists(page: Path) -> None:
    """A verb of hallmark or a session of nox that a page names is one the program has."""
    sessions = set(re.findall(r'@nox\.session(?:\(name="([^"]+)"\))?\ndef (\w+)', (ROOT / "noxfile.py").read_text()))
    names = {name or function for name, function in sessions}
    for words in commands_in(page):
        if words[0] == "nox" and "-s" in words:
            assert words[words.index("-s") + 1] in names, words
        if words[0] == "hallmark":
            assert unknown_word(words[1:]) == "", words


def unknown_word(words: list[str]) -> str:
    """Return the first word that is neither a verb nor an option where it stands, or nothing."""
    command: click.Command = cli
    rest = iter(words)
    for word in rest:
        if word == "--":  # what follows is somebody else's
            return ""
        if word.startswith("-"):
            option = next((each for each in command.get_params(click.Context(command)) if word in each.opts), None)
            if not isinstance(option, click.Option):
                return word
            if not option.is_flag:
                next(rest, "")
        elif isinstance(command, click.Group):
            known = command.get_command(click.Context(command), word)
            if known is None:
                return word
            command = known
    return ""


def test_every_shell_block_of_the_docs_parses() -> None:
    """Commands are copied as printed."""
    for page in WRITTEN:
        for block in re.findall(r"^ *```bash\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            check = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
            assert check.returncode == 0, f"{page.name}: {check.stderr}"


def test_every_setting_is_documented_with_its_default() -> None:
    """The table of settings and the profile list the same names and values."""
    table = (DOCS / "install.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| *`?([^|`]*?)`? *\|", table, re.MULTILINE))
    for setting in fields(Profile):
        assert rows.get(setting.name) == str(setting.default), setting.name


def test_every_cause_of_an_error_has_a_remedy(site: Site) -> None:
    """Each code an ERROR may carry is a section of the troubleshooting page."""
    codes = set(re.findall(r"``([a-z-]+)``", Unobservable.__doc__ or ""))
    assert len(codes) == 11
    assert codes <= site.pages["troubleshooting/index.html"].ids


def test_the_policy_for_graders_allows_every_read_a_grade_makes() -> None:
    """The calls are found in the views; the policy is evaluated, not compared."""
    sources = [*(ROOT / "src/hallmark/views").glob("*.py"), ROOT / "src/hallmark/targets/workstation.py"]
    calls = {call for file in sources for call in READ.findall(file.read_text(encoding="utf-8"))}
    assert len(calls) > 20
    refused = {action for action in map(action_of, calls) if not allowed(action)}
    assert refused == set()


def test_the_policy_for_graders_reads_no_secret_and_writes_nothing() -> None:
    """An explicit deny covers values; a sample of writes is not allowed."""
    for action in (
        "secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue", "ssm:GetParameter",
        "ssm:GetParametersByPath", "s3:GetObject", "s3:GetObjectVersion", "kms:Decrypt",
        "ec2:DescribeInstanceAttribute", "ec2:RevokeSecurityGroupIngress", "rds:StopDBInstance", "iam:PutRolePolicy",
        "iam:PassRole", "s3:PutObject", "wafv2:UpdateWebACL", "sts:AssumeRole",
    ):  # fmt: skip
        assert not allowed(action), action


def test_the_role_for_graders_allows_every_list_a_grade_makes_and_no_other() -> None:
    """The lists are found in views and graders; what nobody asks for is not granted."""
    files = [*(ROOT / "src/hallmark/views").glob("*.py"), *ROOT.glob("graders/*/test_*.py")]
    asked = {place for file in files for place in lists_in(file)}
    assert len(asked) > 20
    assert {place for rule in rules_of_graders() if rule["verbs"] == ["list"] for place in places(rule)} == (
        asked | SECRETS | EVENTS
    )


def test_the_role_for_graders_only_reads() -> None:
    """Besides lists there is one object, by its name; Secrets are granted in the namespace of the release alone."""
    single = [rule for rule in rules_of_graders() if rule["verbs"] != ["list"]]
    assert single == [
        {
            "apiGroups": [""],
            "resources": ["configmaps"],
            "resourceNames": ["cluster-autoscaler-status"],
            "verbs": ["get"],
        }
    ]
    assert not SECRETS & {place for rule in rules_of_graders("ClusterRole") for place in places(rule)}


def test_the_search_for_lists_finds_constants_and_loops(tmp_path: Path) -> None:
    """Three ways in which a view may name what it asks for."""
    file = tmp_path / "view.py"
    file.write_text(
        'ESO, CSI = "external-secrets.io", "csi"\n'
        'ROUTES = (("gateway", "httproutes"), ("istio", "virtualservices"))\n'
        'a = cluster.custom(ESO, "secretstores"), cluster.objects("pods"), cluster.objects("jobs", "batch", "v1")\n'
        "b = [one for group, resource in ROUTES for one in cluster.custom(group, resource)]\n"
        'kinds = {"deployments": "Deployment"}\n'
        'c = [one for resource, kind in kinds.items() for one in cluster.objects(resource, "apps")]\n',
        encoding="utf-8",
    )
    assert lists_in(file) == {
        ("external-secrets.io", "secretstores"), ("", "pods"), ("batch", "jobs"), ("gateway", "httproutes"),
        ("istio", "virtualservices"), ("apps", "deployments"),
    }  # fmt: skip


def rules_of_graders(*kinds: str) -> list[dict[str, list[str]]]:
    """Return the rules of the published roles, or of those of some kinds."""
    documents = yaml.safe_load_all((DOCS / "assets/grader-role.yaml").read_text(encoding="utf-8"))
    wanted = kinds or ("ClusterRole", "Role")
    return [rule for document in documents if document["kind"] in wanted for rule in document["rules"]]


def places(rule: dict[str, list[str]]) -> set[Place]:
    """Return what a rule of a role is about."""
    return {(group, resource) for group in rule["apiGroups"] for resource in rule["resources"]}


def lists_in(file: Path) -> set[Place]:
    """Return the lists a module asks for through ``objects(resource, group)`` and ``custom(group, resource)``.

    Arguments are literals, constants of the module, or names of a loop over one; the view's own plumbing, where they
    are parameters, is left out.
    """
    tree = ast.parse(file.read_text(encoding="utf-8"))
    known = dict(constants(tree))
    found = set()
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in {"objects", "custom"}:
            for names in loops(tree, call, known) or [known]:
                words = [str(value.value if isinstance(value, ast.Constant) else names.get(ast.unparse(value), "?"))
                         for value in call.args[:2]]  # fmt: skip
                resource, group = words[::-1] if call.func.attr == "custom" else [*words, ""][:2]
                found |= {(group, resource)} - {(group, "?")}
    return found


def constants(tree: ast.AST) -> Iterator[tuple[str, Any]]:
    """Yield what is assigned as a literal, by name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target, value = node.targets[0], node.value
            pairs = [(target, value)]
            if isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
                pairs = list(zip(target.elts, value.elts, strict=True))
            for name, literal in pairs:
                with suppress(ValueError):
                    yield ast.unparse(name), ast.literal_eval(literal)


def loops(tree: ast.AST, call: ast.Call, known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the names that the comprehension around *call* binds, once for each turn over a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.GeneratorExp | ast.ListComp) and any(each is call for each in ast.walk(node)):
            for loop in node.generators:
                over = known.get(ast.unparse(loop.iter).removesuffix(".items()"))
                if over and isinstance(loop.target, ast.Tuple):
                    names = [ast.unparse(each) for each in loop.target.elts]
                    rows = over.items() if isinstance(over, dict) else over
                    return [{**known, **dict(zip(names, row, strict=True))} for row in rows]
    return []


def action_of(call: tuple[str, str]) -> str:
    """Return the IAM action that allows a boto3 call; IAM does not tell capitals apart."""
    service, operation = call
    action = f"{SERVICES.get(service, service)}:{operation.replace('_', '')}"
    return ACTIONS.get(action, action)


def allowed(action: str) -> bool:
    """Evaluate the published policy."""
    policy = Policy.parse((DOCS / "assets/grader-policy.json").read_text(encoding="utf-8"))
    return decide(Request(action=action, resource="*"), identity=[policy]).allowed
