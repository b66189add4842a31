"""TLS as clients meet it: trust, names, versions, and certificates that are too old."""

import ssl
import warnings
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
import trustme

from hallmark.waiting import until

HOST = "langsmith.example.com"


def modify(stage: Any, **settings: Any) -> None:
    """Change the HTTPS listener."""
    stage.clients("elbv2").modify_listener(ListenerArn=stage.ids["https"], **settings)


def failure(stage: Any, context: ssl.SSLContext | None = None, url: str = f"https://{HOST}/") -> str:
    """Why no connection comes about; empty if one does."""
    try:
        with stage.client(context) as client:
            client.get(url)
    except httpx.TransportError as error:
        return str(error)
    return ""


def test_only_the_edges_authority_vouches(stage: Any) -> None:
    """A client with other authorities does not trust it, and the authority's key is nobody else's to read."""
    assert "CERTIFICATE_VERIFY_FAILED" in failure(stage, ssl.create_default_context())
    assert failure(stage) == ""
    assert (stage.folder / "ca.key").stat().st_mode & 0o777 == 0o600


def test_a_name_that_the_certificate_does_not_cover(stage: Any) -> None:
    """The default certificate is served whatever is asked for, and the client sees the mismatch."""
    stage.alias("wrong.example.com", stage.ids["dns"])
    until(lambda: "resolve" not in failure(stage, url="https://wrong.example.com/"), 20)
    assert until(lambda: "Hostname mismatch" in failure(stage, url="https://wrong.example.com/"), 20)


def test_a_second_certificate_is_chosen_by_name(stage: Any) -> None:
    """SNI: one listener, several certificates, a wildcard among them."""
    stage.alias("more.second.example.com", stage.ids["dns"])
    arn = stage.certificate("second.example.com", "*.second.example.com")
    change = {"ListenerArn": stage.ids["https"], "Certificates": [{"CertificateArn": arn}]}
    stage.clients("elbv2").add_listener_certificates(**change)
    try:
        assert until(lambda: failure(stage, url="https://more.second.example.com/") == "", 20)
        assert failure(stage) == ""
    finally:
        stage.clients("elbv2").remove_listener_certificates(**change)


def old(stage: Any) -> ssl.SSLContext:
    """A client that speaks TLS 1.1 at most."""
    context: ssl.SSLContext = stage.trust
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    return context


def test_the_policy_decides_which_versions_are_spoken(stage: Any) -> None:
    """An old client is refused until the listener gets the old policy (SE-11)."""
    assert failure(stage, old(stage))
    modify(stage, SslPolicy="ELBSecurityPolicy-2016-08")
    try:
        assert until(lambda: failure(stage, old(stage)) == "", 20)
        newest = stage.trust
        newest.minimum_version = ssl.TLSVersion.TLSv1_3
        assert failure(stage, newest)
    finally:
        modify(stage, SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06")
    assert until(lambda: failure(stage, old(stage)), 20)


def test_an_expired_certificate_is_served_expired(stage: Any) -> None:
    """The listener goes on with what it has; clients refuse it."""
    soon = datetime.now(UTC) + timedelta(seconds=4)
    issued = trustme.CA().issue_cert(HOST, not_after=soon)
    arn = stage.clients("acm").import_certificate(
        Certificate=issued.cert_chain_pems[0].bytes(), PrivateKey=issued.private_key_pem.bytes()
    )["CertificateArn"]
    modify(stage, Certificates=[{"CertificateArn": arn}])
    try:
        assert until(lambda: "certificate has expired" in failure(stage), 30)
    finally:
        modify(stage, Certificates=[{"CertificateArn": stage.ids["certificate"]}])
    assert until(lambda: failure(stage) == "", 20)


def test_plain_http_on_the_https_port(stage: Any) -> None:
    """Refused as a bad request; what is no TLS in a tunnel is cut off."""
    assert stage.ask(url=f"http://{HOST}:443/").status_code == 400


@pytest.mark.parametrize("word", ["ca.pem", "edge.token"])
def test_files_of_the_edge(stage: Any, word: str) -> None:
    """The certificate is for everybody, the token for its owner."""
    mode = (stage.folder / word).stat().st_mode & 0o077
    assert mode == (0 if word == "edge.token" else mode)
