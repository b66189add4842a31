"""Keys behind what is read and written: KMS asks whether the caller may use them, on behalf of the service.

Source: KMS developer guide, "kms:ViaService"; S3 user guide, "Using server-side encryption with AWS KMS keys".
"""

import json
from collections.abc import Iterator
from typing import Any

from moto.kms.models import kms_backends

from hallmark.errors import Unobservable
from hallmark.policy import Policy
from hallmark.twin.aws.extension.permissions.refusals import Question

OBJECTS = {"GetObject": "kms:Decrypt", "PutObject": "kms:GenerateDataKey"}


def policies(document: Any) -> tuple[Policy, ...]:
    """A resource's policy as moto keeps it; one that AWS would not have taken counts as none."""
    try:
        text = document.decode() if isinstance(document, bytes) else document
        return (Policy.parse(text, "resource"),)
    except (Unobservable, UnicodeDecodeError, json.JSONDecodeError):
        return ()


def decryption(request: Any, key_id: str, service: str, instead: str, action: str = "kms:Decrypt") -> Question:
    """Give the question whether a key may be used.

    Args:
        request: moto's request.
        key_id: Id, ARN or alias.
        service: Which service uses the key for the caller; empty when the caller does itself.
        instead: What the service says when it is refused.
        action: What is done with the key.
    """
    kms = kms_backends[request.current_account][request.region]
    found = kms.keys.get(kms.any_id_to_key_id(key_id))
    context = {"kms:ViaService": f"{service}.{request.region}.amazonaws.com"} if service else {"kms:ViaService": ()}
    return Question(
        action,
        found.arn if found else "*",
        context=context,
        documents=policies(found.policy) if found else (),
        instead=instead,
    )


def object_key(request: Any, bucket: Any, name: str) -> Iterator[Question]:
    """Give the question about the key of an encrypted bucket, when objects are read or written."""
    rule = ((bucket.encryption if bucket else None) or {}).get("Rule") or {}
    rule = rule[0] if isinstance(rule, list) else rule
    by_default = rule.get("ApplyServerSideEncryptionByDefault") or {}
    key = request.headers.get("x-amz-server-side-encryption-aws-kms-key-id") or by_default.get("KMSMasterKeyID")
    if name in OBJECTS and key:
        yield decryption(request, key, "s3", "", OBJECTS[name])
