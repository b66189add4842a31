"""What attacks look like: a few plain patterns in place of AWS's, which are not published.

They hold the examples of the documentation, and what an operator of a tracing system meets: markup, addresses and
commands inside the text of traces.
"""

import re

from hallmark.twin.edge.waf.transformations import unescaped, urldecoded

_SCRIPTING = re.compile(
    rb"<\s*(script|iframe|object|embed|svg|meta|link|base|form|math|style)\b"
    rb"|<[a-z!/][^>]{0,200}?[\s/\"']on[a-z]{3,20}\s*=|\b(java|vb)script\s*:|\bdocument\s*\.\s*(cookie|write|location)\b",
    re.IGNORECASE,
)
_SQL = re.compile(
    rb"\bunion\b(\s+all)?\s+\bselect\b|['\"]\s*(or|and)\s+['\"\w]+\s*(=|like\b|<|>)\s*['\"\w]"
    rb"|;\s*(drop|alter|truncate|insert|delete|update|exec)\s+\w+|\b(or|and)\s+(\d+)\s*=\s*\3\b"
    rb"|\b(sleep|benchmark|pg_sleep|waitfor\s+delay)\s*\(|['\"]\s*;?\s*--|/\*!\d*|\binformation_schema\b",
    re.IGNORECASE,
)
_REMOTE_FILE = re.compile(rb"\b(https?|ftps?|file)://\d{1,3}(\.\d{1,3}){3}", re.IGNORECASE)
_LOCAL_FILE = re.compile(rb"(\.\.[/\\]){2}|/etc/(passwd|shadow|hosts)\b|/proc/self/|\\windows\\system32", re.IGNORECASE)
_METADATA = re.compile(
    rb"169\.254\.169\.254|fd00:ec2::254|latest/(meta-data|user-data|dynamic)|instance-data\b", re.IGNORECASE
)
_JNDI = re.compile(rb"\$\{.{0,100}?j.{0,40}?n.{0,40}?d.{0,40}?i.{0,20}?:", re.IGNORECASE)
_JAVA = re.compile(rb"java\.lang\.runtime|getruntime\(\)\s*\.\s*exec|processbuilder|class\.module\.classloader|rO0AB",
                   re.IGNORECASE)  # fmt: skip


def _found(pattern: re.Pattern[bytes], text: bytes) -> bool:
    # As sent, and as a web application would understand it.
    return bool(pattern.search(text) or pattern.search(unescaped(urldecoded(text))))


def is_cross_site_scripting(text: bytes) -> bool:
    """Markup that runs code."""
    return _found(_SCRIPTING, text)


def is_sql_injection(text: bytes) -> bool:
    """SQL where a value should be."""
    return _found(_SQL, text)


def is_remote_file(text: bytes) -> bool:
    """A URL whose host is an IPv4 address."""
    return _found(_REMOTE_FILE, text)


def is_local_file(text: bytes) -> bool:
    """A way up through folders, or to a file of the system."""
    return _found(_LOCAL_FILE, text)


def is_metadata(text: bytes) -> bool:
    """The address or a path of EC2's instance metadata."""
    return _found(_METADATA, text)


def is_log4j(text: bytes) -> bool:
    """A lookup that makes Log4j fetch code (CVE-2021-44228)."""
    return _found(_JNDI, text)


def is_java_deserialization(text: bytes) -> bool:
    """Java code in a place for data."""
    return _found(_JAVA, text)
