"""Nothing secret gets through."""

import base64
import json
from typing import Any

import pytest

from hallmark.evidence.redact import Redactor

SECRET = "correct-horse-battery"


@pytest.mark.parametrize(
    "value",
    [
        {"Description": f"the password is {SECRET}"},
        {"Tags": [{"Key": "note", "Value": SECRET}]},
        {"tags": {"password": SECRET}},
        {"TagList": [{"Key": "db", "Value": SECRET}]},
        {"url": f"postgres://langsmith:{SECRET}@db.example:5432/langsmith"},
        {"urls": [f"see rediss://:{SECRET}@cache:6379 for more"]},
        {"MasterUserPassword": SECRET},
        {"AuthToken": SECRET},
        {"langsmith_license_key": SECRET},
        {"api_key_salt": SECRET},
        {"UserData": SECRET},
        {"Type": "TXT", "Name": "x.", "ResourceRecords": [{"Value": SECRET}]},
        {"Environment": {"Variables": {"DB_PASSWORD": SECRET}}},
        {"anything": f"taken from the environment: {SECRET}"},
        {"anything": f"in base64: {base64.b64encode(SECRET.encode()).decode()}"},
    ],
)
def test_a_planted_secret_is_gone(value: dict[str, Any]) -> None:
    """Wherever a person may have put it."""
    redactor = Redactor({"TF_VAR_db_password": SECRET})

    assert SECRET not in json.dumps(redactor.redact(value))


@pytest.mark.parametrize(
    "value",
    [
        {"url": f"rediss://:{SECRET}@cache:6379"},
        {"url": f"postgres://langsmith:a/b@{SECRET}@db.example:5432/langsmith"},
        {"access_key": SECRET},
        {"db_pwd": SECRET},
        {"credentials": {"pg": SECRET, "more": [SECRET]}},
        {"tags": {"hallmark:note": f"https://me:{SECRET}@example"}},
        {"Conditions": [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X", "Values": [SECRET]}}]},
        {"QueryStringConfig": {"Values": [{"Key": "key", "Value": SECRET}]}},
        {"FixedResponseConfig": {"MessageBody": SECRET}},
        {"ByteMatchStatement": {"SearchString": SECRET, "FieldToMatch": {"SingleHeader": {"Name": "x-origin"}}}},
        {"RegexMatchStatement": {"RegexString": SECRET, "FieldToMatch": {"Cookies": {}}}},
    ],
)
def test_a_secret_that_only_its_place_gives_away_is_gone(value: dict[str, Any]) -> None:
    """Nothing in this process knows it, and it has no shape of its own."""
    assert SECRET not in json.dumps(Redactor().redact(value))


def test_a_password_inside_a_url_of_the_environment_is_known() -> None:
    """Also where it stands alone, and decoded."""
    redactor = Redactor({"DATABASE": "postgres://langsmith:correct%2Fhorse@db:5432/langsmith"})

    assert "correct" not in redactor.text("Name: correct/horse, correct%2Fhorse")


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ASIAIOSFODNN7EXAMPLE",
        "lsv2_pt_0123456789abcdef0123456789abcdef_0123456789",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_known_shapes_are_cut_out_anywhere(text: str) -> None:
    """A key in a field nobody thought of is still a key."""
    assert text not in Redactor().redact({"name": f"x {text} y"})["name"]


def test_what_checks_need_is_kept() -> None:
    """Redaction leaves facts alone: names, flags, ARNs, controller tags, policies."""
    value = {
        "AuthTokenEnabled": True,
        "MasterUserSecret": {"SecretArn": "arn:aws:secretsmanager:x", "SecretStatus": "active", "KmsKeyId": "k"},
        "SecretList": [{"Name": "langsmith/postgres", "CreatedDate": "2026-11-24T12:53:33Z"}],
        "ByteMatchStatement": {"SearchString": "/api/v1/runs", "FieldToMatch": {"UriPath": {}}},
        "HealthCheck": "https://langsmith.hallmark.example:443/api/v1/info",
        "SecretArn": "arn:aws:secretsmanager:us-east-1:111122223333:secret:hallmark/postgres",
        "MasterUserSecretStatus": "active",
        "Name": "langsmith.hallmark.example.",
        "PolicyName": "secrets",
        "Tags": [
            {"Key": "kubernetes.io/role/elb", "Value": "1"},
            {"Key": "hallmark:lab", "Value": "x", "PropagateAtLaunch": True},
        ],
    }

    assert Redactor({"HOME": "/root", "PWD": "/api/v1/runs", "AWS_SECRET_ACCESS_KEY": "short"}).redact(value) == value


def test_equal_secrets_have_equal_digests_in_one_collection_only() -> None:
    """Changed can be told from the same, and nothing can be guessed from outside."""
    one, other = Redactor(), Redactor()
    first = one.redact({"password": SECRET})

    assert first == one.redact({"password": SECRET})
    assert first != other.redact({"password": SECRET})


def test_texts_are_treated_by_shape_alone_where_the_source_knows_the_names() -> None:
    """Kubernetes calls a reference `secretKeyRef`; what has the shape of a secret, or is one of ours, still goes."""
    value = {
        "secretKeyRef": {"name": "app", "key": "jwt"},
        "reason": "BackOff",
        "items": [SECRET, "AKIAIOSFODNN7EXAMPLE"],
    }
    found = Redactor({"AWS_SECRET_ACCESS_KEY": SECRET}).texts(value)

    assert (found["secretKeyRef"], found["reason"]) == (value["secretKeyRef"], "BackOff")
    assert [text.startswith("<redacted ") for text in found["items"]] == [True, True]
