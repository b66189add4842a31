"""Server-side apply: who owns what, what is refused, what goes away.

Source: Kubernetes documentation, "Server-Side Apply".
"""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from hallmark.twin.cluster.schema import definitions, ownership
from hallmark.twin.cluster.schema.definitions import Schema
from hallmark.twin.cluster.schema.ownership import BadConfig, Conflict

Json = dict[str, Any]
Make = Callable[..., Json]
FIRST, THEN, LATER = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "2026-11-03T00:00:00Z"


class Applier:
    """Applies and writes Deployments, one after the other.

    Args:
        schema: Schema of Deployments.
        live: The object as it is; None when there is none.
    """

    def __init__(self, schema: Schema, live: Json | None = None) -> None:
        self.schema = schema
        self.live = live

    def apply(self, config: Json, manager: str = "one", *, force: bool = False, time: str = FIRST) -> Json:
        """Apply, and keep the result."""
        self.live = ownership.apply(
            self.live,
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, **config},
            self.schema,
            manager=manager,
            force=force,
            api_version="apps/v1",
            subresource="",
            time=time,
        )
        return self.live

    def write(
        self, change: Callable[[Json], None], manager: str = "writer", *, sub: str = "", time: str = THEN
    ) -> Json:
        """Change the object by an ordinary write."""
        new = copy.deepcopy(self.live)
        assert new is not None
        change(new)
        ownership.track(self.live, new, self.schema, manager=manager, api_version="apps/v1", subresource=sub, time=time)
        self.live = new
        return new

    def owners(self) -> dict[str, Json]:
        """Fields by manager."""
        assert self.live is not None
        return {each["manager"]: each["fieldsV1"] for each in self.live["metadata"].get("managedFields", ())}

    def container(self, name: str = "web") -> Json:
        """A container of the template."""
        assert self.live is not None
        found: Json = next(e for e in self.live["spec"]["template"]["spec"]["containers"] if e["name"] == name)
        return found


@pytest.fixture
def applier(deployments: Schema) -> Applier:
    """Nothing is there yet."""
    return Applier(deployments)


def containers(*each: Json) -> Json:
    """A config with some containers."""
    return {"spec": {"template": {"spec": {"containers": list(each)}}}}


def test_first_apply_owns_what_it_names(applier: Applier) -> None:
    """Only fields of the config are owned; name and kind are nobody's."""
    made = applier.apply({"metadata": {"name": "web", "labels": {"a": "b"}}, "spec": {"replicas": 2}})
    assert made["spec"]["replicas"] == 2
    assert made["metadata"]["managedFields"] == [
        {
            "manager": "one",
            "operation": "Apply",
            "apiVersion": "apps/v1",
            "time": FIRST,
            "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {"f:labels": {"f:a": {}}}, "f:spec": {"f:replicas": {}}},
        }
    ]


def test_conflict(applier: Applier) -> None:
    """Another manager's field is not changed without force; the message names both."""
    applier.apply({"spec": {"replicas": 2}})
    with pytest.raises(Conflict) as caught:
        applier.apply({"spec": {"replicas": 3}}, "two")
    assert caught.value.causes == [('"one"', ".spec.replicas")]
    assert str(caught.value) == 'Apply failed with 1 conflict: conflict with "one": .spec.replicas'


def test_conflict_with_an_ordinary_write_names_its_version(applier: Applier) -> None:
    """An image set by kubectl, then an apply of the old image: the drift that upgrades trip over."""
    applier.apply(containers({"name": "web", "image": "nginx:1"}))
    applier.write(lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(image="nginx:2"), "kubectl-set")
    with pytest.raises(Conflict) as caught:
        applier.apply(containers({"name": "web", "image": "nginx:1"}))
    expected = ('"kubectl-set" using apps/v1', '.spec.template.spec.containers[name="web"].image')
    assert caught.value.causes == [expected]


def test_conflict_with_a_subresource_names_it(applier: Applier) -> None:
    """A scaler that wrote the scale is told from one that wrote the object."""
    applier.apply({"spec": {"replicas": 1}})
    applier.write(lambda obj: obj["spec"].update(replicas=4), "scaler", sub="scale")
    with pytest.raises(Conflict) as caught:
        applier.apply({"spec": {"replicas": 1}})
    assert caught.value.causes == [('"scaler" with subresource "scale" using apps/v1', ".spec.replicas")]


def test_several_conflicts_are_listed_by_manager(applier: Applier) -> None:
    """The message groups the fields by who owns them."""
    applier.apply({"spec": {"replicas": 2, "paused": True}}, "one")
    applier.apply({"spec": {"minReadySeconds": 5}}, "two")
    with pytest.raises(Conflict) as caught:
        applier.apply({"spec": {"replicas": 3, "paused": False, "minReadySeconds": 6}}, "three")
    assert str(caught.value) == (
        'Apply failed with 3 conflicts: conflicts with "one":\n- .spec.paused\n- .spec.replicas\n'
        'conflicts with "two":\n- .spec.minReadySeconds'
    )


def test_force_takes_over(applier: Applier) -> None:
    """With force the field changes hands, and a manager that has nothing left is forgotten."""
    applier.apply({"spec": {"replicas": 2}})
    made = applier.apply({"spec": {"replicas": 3}}, "two", force=True)
    assert made["spec"]["replicas"] == 3
    assert applier.owners() == {"two": {"f:spec": {"f:replicas": {}}}}


def test_the_same_value_is_shared(applier: Applier) -> None:
    """Who applies what is there already owns it, too; it goes when the last one lets go of it."""
    applier.apply({"spec": {"replicas": 2, "paused": True}})
    applier.apply({"spec": {"replicas": 2}}, "two")
    assert set(applier.owners()) == {"one", "two"}
    made = applier.apply({"spec": {"paused": True}}, "one", time=THEN)
    assert (made["spec"]["replicas"], made["spec"]["paused"]) == (2, True)
    made = applier.apply({}, "two", time=THEN)
    assert "replicas" not in made["spec"]
    assert made["spec"]["paused"] is True


def test_a_field_left_out_is_removed(applier: Applier) -> None:
    """What was applied before and is not any more goes, with all below it that nobody owns."""
    applier.apply(containers({"name": "web", "image": "i", "env": [{"name": "A", "value": "1"}, {"name": "B"}]}))
    applier.apply(containers({"name": "web", "image": "i", "env": [{"name": "B"}]}), time=THEN)
    assert applier.container() == {"name": "web", "image": "i", "resources": {}, "env": [{"name": "B"}]}
    applier.apply(containers({"name": "web", "image": "i"}), time=LATER)
    assert applier.container() == {"name": "web", "image": "i", "resources": {}}


def test_a_field_left_out_stays_when_another_owns_it(applier: Applier) -> None:
    """Removing a field from a config does not take it from who wrote it since."""
    applier.apply({"metadata": {"name": "web", "labels": {"a": "1", "b": "1"}}})
    applier.write(lambda obj: obj["metadata"]["labels"].update(b="2"))
    made = applier.apply({"metadata": {"name": "web"}}, time=LATER)
    assert made["metadata"]["labels"] == {"b": "2"}


def test_an_item_left_out_goes_with_its_defaults(applier: Applier) -> None:
    """A container that is not applied any more goes as a whole, what the server filled in included."""
    applier.apply(containers({"name": "web", "image": "i"}, {"name": "side", "image": "s"}))

    def fill_in(obj: Json) -> None:
        for each in obj["spec"]["template"]["spec"]["containers"]:
            each["imagePullPolicy"] = "Always"

    assert applier.live is not None
    fill_in(applier.live)  # by the server: nobody owns it
    made = applier.apply(containers({"name": "web", "image": "i"}), time=THEN)
    assert [each["name"] for each in made["spec"]["template"]["spec"]["containers"]] == ["web"]
    assert applier.container()["imagePullPolicy"] == "Always"


def test_items_of_others_stay(applier: Applier) -> None:
    """Each manager has containers of its own; keys with a default are found without it."""
    applier.apply(containers({"name": "web", "image": "i", "ports": [{"containerPort": 80, "protocol": "TCP"}]}))
    applier.apply(containers({"name": "side", "image": "s"}), "two")
    made = applier.apply(containers({"name": "web", "image": "i", "ports": [{"containerPort": 80, "name": "http"}]}))
    assert [each["name"] for each in made["spec"]["template"]["spec"]["containers"]] == ["web", "side"]
    assert applier.container()["ports"] == [{"containerPort": 80, "name": "http"}]
    ports = applier.owners()["one"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}']["f:ports"]
    assert list(ports) == ['k:{"containerPort":80,"protocol":"TCP"}']


def test_atomic_values_are_owned_as_a_whole(applier: Applier) -> None:
    """A selector and a list of tolerations are one field each."""
    config: Json = {
        "spec": {
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"spec": {"tolerations": [{"key": "x"}], "nodeSelector": {"k": "v"}}},
        }
    }
    applier.apply(config)
    assert applier.owners()["one"]["f:spec"] == {
        "f:selector": {},
        "f:template": {"f:spec": {"f:tolerations": {}, "f:nodeSelector": {}}},
    }
    with pytest.raises(Conflict) as caught:
        applier.apply({"spec": {"selector": {"matchLabels": {"c": "d"}}}}, "two")
    assert caught.value.causes == [('"one"', ".spec.selector")]


def test_sets_are_shared_item_by_item(applier: Applier) -> None:
    """Finalizers are a set: each belongs to who added it."""
    applier.apply({"metadata": {"name": "web", "finalizers": ["a"]}})
    made = applier.apply({"metadata": {"name": "web", "finalizers": ["b"]}}, "two")
    assert made["metadata"]["finalizers"] == ["a", "b"]
    assert applier.owners()["two"] == {"f:metadata": {"f:finalizers": {'v:"b"': {}}}}
    made = applier.apply({"metadata": {"name": "web"}}, "one", time=THEN)
    assert made["metadata"]["finalizers"] == ["b"]


def test_applying_the_same_again_changes_nothing(applier: Applier) -> None:
    """A second apply of the same config leaves the object as it is, times included."""
    config: Json = {
        "metadata": {"name": "web", "labels": {"a": "b"}},
        **containers({"name": "web", "image": "i", "resources": {"limits": {"cpu": "1000m"}}, "tty": False}),
    }
    before = copy.deepcopy(applier.apply(config))
    assert applier.apply(config, time=LATER) == before


def test_a_change_of_ownership_is_a_change(applier: Applier) -> None:
    """To stop applying a field that others own, too, moves the time."""
    applier.apply({"spec": {"replicas": 1, "paused": True}})
    applier.apply({"spec": {"replicas": 1}}, "two")
    made = applier.apply({"spec": {"paused": True}}, "one", time=LATER)
    assert {each["manager"]: each["time"] for each in made["metadata"]["managedFields"]} == {"one": LATER, "two": FIRST}


def test_an_object_nobody_owns_belongs_to_before_first_apply(deployments: Schema, deployment: Make) -> None:
    """The first apply of an object without owners gives its fields to a manager of that name."""
    live = deployment()
    live["metadata"]["creationTimestamp"] = FIRST
    applier = Applier(deployments, live)
    with pytest.raises(Conflict) as caught:
        applier.apply({"spec": {"replicas": 7}})
    assert caught.value.causes == [('"before-first-apply" using apps/v1', ".spec.replicas")]
    made = applier.apply({"spec": {"replicas": 2}}, time=THEN)
    assert [each["manager"] for each in made["metadata"]["managedFields"]] == ["one", "before-first-apply"]


def test_order_of_a_merged_list(applier: Applier) -> None:
    """Items of the config come in its order, others stay where they were."""
    applier.apply(containers(*({"name": name, "image": "i"} for name in "abc")))
    made = applier.apply(containers({"name": "d", "image": "i"}, {"name": "b", "image": "i"}), "two")
    assert [each["name"] for each in made["spec"]["template"]["spec"]["containers"]] == ["a", "d", "b", "c"]


def test_custom_resource_without_a_schema_is_owned_field_by_field() -> None:
    """Where nothing is known, maps are shared and lists are not."""
    schema = definitions.custom({"type": "object", "x-kubernetes-preserve-unknown-fields": True})
    applier = Applier(schema)
    applier.apply({"spec": {"a": 1, "list": [1]}})
    made = applier.apply({"spec": {"b": 2}}, "two")
    assert made["spec"] == {"a": 1, "list": [1], "b": 2}
    with pytest.raises(Conflict) as caught:
        applier.apply({"spec": {"list": [2]}}, "two")
    assert caught.value.causes == [('"one"', ".spec.list")]


def test_an_item_named_twice_is_refused(applier: Applier) -> None:
    """A variable that is set twice cannot be applied; a chart with one fails to install."""
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    with pytest.raises(BadConfig) as caught:
        applier.apply(containers({"name": "web", "image": "i", "env": twice}))
    assert str(caught.value) == (
        "failed to create typed patch object (/web; apps/v1, Kind=Deployment): "
        '.spec.template.spec.containers[name="web"].env: duplicate entries for key [name="A"]'
    )


def test_an_item_that_is_there_twice_stays(applier: Applier) -> None:
    """What an ordinary write put there twice stays until an apply names it."""
    applier.apply(containers({"name": "web", "image": "i"}))
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    applier.write(lambda obj: obj["spec"]["template"]["spec"]["containers"][0].update(env=twice))
    applier.apply(containers({"name": "web", "image": "i", "env": [{"name": "B"}]}), time=LATER)
    assert applier.container()["env"] == [*twice, {"name": "B"}]
    applier.apply(containers({"name": "web", "image": "i", "env": [{"name": "A", "value": "3"}]}), force=True)
    assert applier.container()["env"] == [{"name": "A", "value": "3"}]


def test_config_is_not_changed(applier: Applier) -> None:
    """The config is only read."""
    config = {"spec": {"replicas": None, **containers({"name": "a", "resources": {"limits": {"cpu": 1}}})["spec"]}}
    before = copy.deepcopy(config)
    applier.apply(config)
    assert config == before
