"""What attacks look like: a few plain patterns in place of AWS's, which are not published.

They hold the examples of the documentation, and what an operator of a tracing system meets: markup, addresses and
commands inside the text of traces.
"""

import re
from dataclasses import dataclass

from hallmark.twin.edge.waf.transformations import unescaped, urldecoded


@dataclass(frozen=True)
class Pattern:
    """A pattern for text in lower case; it needs one of the *hints*, which are found a hundred times faster."""

    hints: tuple[bytes, ...]
    expression: re.Pattern[bytes]

    def occurs(self, text: bytes) -> bool:
        """Whether the text holds it, as it was sent or as a web application would understand it."""
        understood = unescaped(urldecoded(text))
        return any(map(self._occurs, {text.lower(), understood.lower()}))

    def _occurs(self, text: bytes) -> bool:
        return any(hint in text for hint in self.hints) and bool(self.expression.search(text))


_SCRIPTING = Pattern(
    (b"<", b"script", b"document"),
    re.compile(
        rb"<\s*(script|iframe|object|embed|svg|meta|link|base|form|math|style)\b"
        rb"|<[a-z!/][^>]{0,200}?[\s/\"']on[a-z]{3,20}\s*="
        rb"|\b(java|vb)script\s*:|\bdocument\s*\.\s*(cookie|write|location)\b"
    ),
)
_SQL = Pattern(
    (b"select", b"'", b'"', b";", b"=", b"(", b"/*!", b"information_schema"),
    re.compile(
        rb"\bunion\b(\s+all)?\s+\bselect\b|['\"]\s*(or|and)\s+['\"\w]+\s*(=|like\b|<|>)\s*['\"\w]"
        rb"|;\s*(drop|alter|truncate|insert|delete|update|exec)\s+\w+|\b(or|and)\s+(?P<same>\d+)\s*=\s*(?P=same)\b"
        rb"|\b(sleep|benchmark|pg_sleep|waitfor\s+delay)\s*\(|['\"]\s*;?\s*--|/\*!\d*|\binformation_schema\b"
    ),
)
_REMOTE_FILE = Pattern((b"://",), re.compile(rb"\b(https?|ftps?|file)://\d{1,3}(\.\d{1,3}){3}"))
_LOCAL_FILE = Pattern(
    (b"../", b"..\\", b"/etc/", b"/proc/", b"system32"),
    re.compile(rb"(\.\.[/\\]){2}|/etc/(passwd|shadow|hosts)\b|/proc/self/|\\windows\\system32"),
)
_METADATA = Pattern(
    (b"169.254", b"fd00:ec2", b"latest/", b"instance-data"),
    re.compile(rb"169\.254\.169\.254|fd00:ec2::254|latest/(meta-data|user-data|dynamic)|instance-data\b"),
)
_JNDI = Pattern((b"${",), re.compile(rb"\$\{.{0,100}?j.{0,40}?n.{0,40}?d.{0,40}?i.{0,20}?:"))
_JAVA = Pattern(
    (b"java.lang", b"getruntime", b"processbuilder", b"classloader", b"ro0ab"),
    re.compile(rb"java\.lang\.runtime|getruntime\(\)\s*\.\s*exec|processbuilder|class\.module\.classloader|ro0ab"),
)


def is_cross_site_scripting(text: bytes) -> bool:
    """Markup that runs code."""
    return _SCRIPTING.occurs(text)


def is_sql_injection(text: bytes) -> bool:
    """SQL where a value should be."""
    return _SQL.occurs(text)


def is_remote_file(text: bytes) -> bool:
    """A URL whose host is an IPv4 address."""
    return _REMOTE_FILE.occurs(text)


def is_local_file(text: bytes) -> bool:
    """A way up through folders, or to a file of the system."""
    return _LOCAL_FILE.occurs(text)


def is_metadata(text: bytes) -> bool:
    """The address or a path of EC2's instance metadata."""
    return _METADATA.occurs(text)


def is_log4j(text: bytes) -> bool:
    """A lookup that makes Log4j fetch code (CVE-2021-44228)."""
    return _JNDI.occurs(text)


def is_java_deserialization(text: bytes) -> bool:
    """Java code in a place for data."""
    return _JAVA.occurs(text)
