"""What is done with a resource, verb by verb: from a call to its HTTP answer."""

from aiohttp import web

from hallmark.twin.cluster import deletion, reviews, statuses
from hallmark.twin.cluster.authentication import Authenticator
from hallmark.twin.cluster.calls import Call, read_object
from hallmark.twin.cluster.changes import Entry
from hallmark.twin.cluster.decoding import check_types, decoded
from hallmark.twin.cluster.deletion import Deleter
from hallmark.twin.cluster.listing import Lister
from hallmark.twin.cluster.patching import Patcher
from hallmark.twin.cluster.representations import Shape, answer
from hallmark.twin.cluster.store import Store, encode
from hallmark.twin.cluster.watch import watch
from hallmark.twin.cluster.writing import Writer


class Verbs:
    """Reads and writes objects of all kinds in the same way.

    Args:
        store: Where they are.
        writer: Creates and updates.
        deleter: Deletes.
        authenticator: Answers reviews of tokens.
    """

    def __init__(self, store: Store, writer: Writer, deleter: Deleter, authenticator: Authenticator) -> None:
        self._store = store
        self._writer = writer
        self._deleter = deleter
        self._authenticator = authenticator
        self._lister = Lister(store)
        self._patcher = Patcher(writer)

    def find(self, call: Call) -> Entry:
        """The object a call is about.

        Raises:
            Refusal: There is none.
        """
        entry = self.look_up(call)
        if entry is None:
            raise statuses.not_found(call.resource.group, call.resource.plural, call.name)
        return entry

    def look_up(self, call: Call) -> Entry | None:
        """The object a call is about, None if there is none."""
        return self._store.get(call.resource.storage, call.namespace, call.name)

    async def collection(self, call: Call) -> web.StreamResponse:
        """Answer a call about all objects: list, watch, create, delete.

        Raises:
            Refusal: It is refused.
        """
        match call.request.method:
            case "GET" if call.flag("watch"):
                return await watch(call, self._store)
            case "GET":
                return answer(self._lister.page(call), warnings=call.warnings)
            case "POST":
                return await self._create(call)
            case "DELETE":
                return await self._delete_all(call)
        raise deletion.refuse_method(call.resource)

    async def item(self, call: Call) -> web.StreamResponse:
        """Answer a call about one object: get, watch, update, patch, delete.

        Raises:
            Refusal: It is refused.
        """
        match call.request.method:
            case "GET" if call.flag("watch"):
                return await watch(call, self._store)
            case "GET" | "HEAD":
                return _written(call, self.find(call))
            case "PUT":
                return await self._replace(call)
            case "PATCH":
                return await self.patch(call)
            case "DELETE":
                return await self._delete(call)
        raise deletion.refuse_method(call.resource)

    async def status(self, call: Call) -> web.StreamResponse:
        """Answer a call about the status of an object.

        Raises:
            Refusal: It is refused.
        """
        match call.request.method:
            case "GET":
                return answer(Shape(call).one(self.find(call)))
            case "PUT":
                return await self._replace(call)
            case "PATCH":
                return await self.patch(call)
        raise deletion.refuse_method(call.resource)

    async def patch(self, call: Call) -> web.StreamResponse:
        """Answer a patch.

        Raises:
            Refusal: It is refused.
        """
        entry, is_new = await self._patcher.patch(call, lambda: self.look_up(call))
        return _written(call, entry, 201 if is_new else 200)

    async def _create(self, call: Call) -> web.StreamResponse:
        sent = await read_object(call.request)
        if call.resource.kind in reviews.KINDS:
            review = decoded(call, sent)
            return answer(encode(await reviews.answer(call, review, self._authenticator)), 201)
        return _written(call, await self._writer.create(call, decoded(call, sent)), 201)

    async def _replace(self, call: Call) -> web.StreamResponse:
        sent = decoded(call, await read_object(call.request))
        return _written(call, self._writer.update(call, self.find(call), sent))

    async def _delete(self, call: Call) -> web.StreamResponse:
        options = await _options(call)
        resource, entry = call.resource, self.find(call)
        if resource.kind == "Job" and not options.policy:
            call.warnings.append(deletion.ORPHANING_WARNING)
        deleted = self._deleter.delete(resource, entry, options)
        code = 202 if not deleted.gone and options.policy == "Foreground" else 200
        if deleted.gone and resource.plural not in deletion.SHOWN:
            name, uid = call.name, entry.object["metadata"]["uid"]
            return answer(encode(statuses.success(resource.group, resource.plural, name, uid)), code, call.warnings)
        return _written(call, deleted.entry, code)

    async def _delete_all(self, call: Call) -> web.StreamResponse:
        options = await _options(call)
        entries = self._lister.select(call)
        for entry in entries:
            self._deleter.delete(call.resource, entry, options)
        return answer(Shape(call).many(entries, {"resourceVersion": str(self._store.revision)}))


async def _options(call: Call) -> deletion.Options:
    sent = check_types("", "v1", "DeleteOptions", await read_object(call.request))
    grace = call.number("gracePeriodSeconds")
    return deletion.options_of(call.query, {"gracePeriodSeconds": grace, **sent}, call.resource)


def _written(call: Call, entry: Entry, code: int = 200) -> web.Response:
    return answer(Shape(call).one(entry), code, call.warnings)
