"""What the emulator remembers of one account, as bytes and back.

All regional backends of an account go into one pickle, so that references between services (a load balancer and
its subnets) survive.
"""

import copyreg
import gzip
import importlib
import io
import marshal
import pickle
import types
from collections.abc import Iterator
from typing import Any

import dill
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto.backends import get_backend
from moto.core.base_backend import BackendDict
from moto.iam.models import AWSManagedPolicy
from moto.s3.models import s3_backends
from moto.ssm.models import ParameterDict

from hallmark.errors import EnvironmentFault
from hallmark.twin.aws.extension import managed_policies

Place = tuple[str, str]  # moto's package of the service, region


def dump(account: str) -> bytes:
    """Everything the account holds, compressed.

    Raises:
        EnvironmentFault: It holds something that cannot be written down, of a service nobody has used here before.
    """
    return gzip.compress(_pickled(account), compresslevel=1)


def load(account: str, dumped: bytes) -> None:
    """Put an account back exactly as it was dumped; what it held meanwhile is gone.

    Args:
        account: The account the bytes were dumped from.
        dumped: Bytes of :func:`dump`, from a source that is trusted: loading runs code.
    """
    _put(account, gzip.decompress(dumped))


def _put(account: str, pickled: bytes) -> None:
    memory: dict[Place, Any] = pickle.loads(pickled)  # noqa: S301  (sealed: hallmark.twin.aws.seal)
    drop(account)
    for (service, region), backend in memory.items():
        dict.__setitem__(_service(service)[account], region, backend)
    for partition, s3 in s3_backends[account].items():
        for name in s3.buckets:
            s3_backends.bucket_accounts[name] = (partition, account)


def drop(account: str) -> None:
    """Empty an account: the next call finds it as AWS hands out a new one."""
    for name, (_, owner) in list(s3_backends.bucket_accounts.items()):
        if owner == account:
            del s3_backends.bucket_accounts[name]
    for backends in _services():
        if account in dict.keys(backends):
            dict.clear(backends[account])


def clone(source: str, target: str) -> None:
    """Make one account a copy of another; ids stay, the account number in every ARN changes."""
    _put(target, _pickled(source).replace(source.encode(), target.encode()))


def accounts() -> list[str]:
    """Every account that holds something, or was asked about."""
    return sorted({account for backends in _services() for account in dict.keys(backends)})


def _services() -> list[Any]:
    services: Any = BackendDict
    return list(services._instances)  # noqa: SLF001  (moto keeps no public list of what is in use)


def _backends(account: str) -> Iterator[tuple[str, str, Any]]:
    for backends in _services():
        if account not in dict.keys(backends):
            continue
        for region, backend in list(dict.items(backends[account])):
            yield type(backend).__module__.split(".")[1], region, backend


def _service(name: str) -> Any:
    return get_backend(name)  # type: ignore[call-overload]  # any package name, not a literal


class _Pickler(pickle.Pickler):
    """The pickler of the interpreter, which is eight times as fast as dill's, and knows moto's lambdas."""

    def reducer_override(self, value: Any) -> Any:
        """Take apart AWS's own policies, and functions to which no name leads; everything else is pickled as usual."""
        if type(value) is AWSManagedPolicy:
            return managed_policies.reduced(value)
        if type(value) is not types.FunctionType or "<" not in value.__qualname__ or value.__kwdefaults__:
            return NotImplemented
        held = tuple(cell.cell_contents for cell in value.__closure__ or ())
        return _function, (value.__module__, marshal.dumps(value.__code__), value.__defaults__, held)


def _function(module: str, code: bytes, defaults: tuple[Any, ...] | None, held: tuple[Any, ...]) -> types.FunctionType:
    loaded = marshal.loads(code)  # noqa: S302  (as trusted as the pickle it is from)
    names = vars(importlib.import_module(module))
    return types.FunctionType(loaded, names, None, defaults, tuple(map(types.CellType, held)))


def _pickled(account: str) -> bytes:
    memory = {(service, region): backend for service, region, backend in _backends(account)}
    try:
        return _quickly(memory)
    except (pickle.PicklingError, TypeError, AttributeError):
        # dill knows more, such as locks and weak references. No service of the architecture holds any.
        pass
    try:
        slowly: bytes = dill.dumps(memory, protocol=5)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise EnvironmentFault(f"The state of account {account} cannot be saved: {error}.") from error
    return slowly


def _quickly(memory: dict[Place, Any]) -> bytes:
    buffer = io.BytesIO()
    _Pickler(buffer, protocol=5).dump(memory)
    return buffer.getvalue()


def _private_key(der: bytes) -> Any:
    return serialization.load_der_private_key(der, None)


def _reduce_private_key(key: Any) -> tuple[Any, ...]:
    der = key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return _private_key, (der,)


def _certificate(der: bytes) -> Any:
    return x509.load_der_x509_certificate(der)


def _reduce_certificate(certificate: x509.Certificate) -> tuple[Any, ...]:
    return _certificate, (certificate.public_bytes(serialization.Encoding.DER),)


def _reduce_parameters(parameters: ParameterDict) -> tuple[Any, ...]:
    # A defaultdict whose constructor takes other arguments than pickle would pass.
    state = dict(vars(parameters))
    return ParameterDict, (parameters.account_id, parameters.region_name), state, None, iter(parameters.items())


def teach_pickle() -> None:
    """Register how to pickle keys, certificates and SSM's parameters; once a process, before dumping."""
    smallest = rsa.generate_private_key(65537, 1024)  # noqa: S505  (only its type is wanted)
    copyreg.pickle(type(smallest), _reduce_private_key)
    copyreg.pickle(type(ec.generate_private_key(ec.SECP256R1())), _reduce_private_key)
    copyreg.pickle(x509.Certificate, _reduce_certificate)
    copyreg.pickle(ParameterDict, _reduce_parameters)
