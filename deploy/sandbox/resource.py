from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from deploy.sandbox.names import NAMES, SUFFIX, Name, described, resolve
from deploy.sandbox.store import Entity

if TYPE_CHECKING:
    from deploy.sandbox.fields import Reader
    from deploy.sandbox.request import Request

# When what an account file gives no time for was made.
OPENED = "2020-01-01T00:00:00Z"

View: TypeAlias = Callable[["Request", Entity], Mapping[str, Any]]
Ids: TypeAlias = Callable[["Request", Entity], Iterable[str]]


def _nothing(request: Request, entity: Entity) -> Mapping[str, Any]:  # noqa: ARG001 - a view's signature
    return {}


def _always(request: Request) -> Sequence[str]:  # noqa: ARG001 - as above
    return ()


def _fits(request: Request, new: Entity, old: Entity | None) -> Iterable[str]:  # noqa: ARG001 - as above
    return ()


def _free(request: Request, entity: Entity) -> None:
    """Nothing is in the way of a deletion."""


def _quiet(request: Request, old: Entity | None, new: Entity | None) -> None:
    """Nothing else changes with it."""


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of object: what may be set, what is shown, and what is checked. The same machinery serves all kinds."""

    kind: str
    """The collection's name, in the URL and in lists."""
    noun: str
    """The object's name in bodies."""
    type: str = ""
    """Its type, where that is not the noun."""
    where: str = ""
    """The list's path, where that is not the collection's name."""
    fields: Mapping[str, Reader] = field(default_factory=dict)
    """What a caller may set."""
    required: Sequence[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """What is shown of fields that were never set."""
    hidden: Sequence[str] = ()
    """What is kept and never shown."""
    parts: Mapping[str, Reader] = field(default_factory=dict)
    """What an account file may set besides, and requests set in their own ways."""
    computed: View = _nothing
    """Read-only fields, made from the rest of the account."""
    includes: Mapping[str, str] = field(default_factory=dict)
    """What `include[]` may ask for -> the path of the references to show whole."""
    optional: Callable[[Request], Sequence[str]] = _always
    """The fields that are shown only where `include[]` asks for them."""
    unique: Sequence[str] = ()
    search: str = "name"
    """The field that `query` looks into."""
    filters: Mapping[str, Ids] = field(default_factory=dict)
    """Parameters, single or with [] -> the ids of an object of which one must be asked for."""
    verify: Callable[[Request, Entity, Entity | None], Iterable[str]] = _fits
    """What is wrong with an object as a whole; the third argument is what it was before."""
    guard: Callable[[Request, Entity], None] = _free
    """Raises RestError where an object cannot be deleted."""
    changed: Callable[[Request, Entity | None, Entity | None], None] = _quiet
    """Told after each change what was and what is; None is nothing."""
    owner: str = ""
    """The type of the object it belongs to and lives under, such as user."""
    most: int = 0
    """How many an account may have; 0 is any number."""
    unseen: Sequence[str] = ()
    """Which of the fields that all objects have are not shown of these."""
    stamped: bool = False
    """Whether it has `created_at`."""

    def type_of(self, entity: Entity) -> str:
        """The type of one of these."""
        return str(entity.get("type") or self.type or self.noun)

    @property
    def path(self) -> str:
        """The list's path."""
        if self.where:
            return self.where
        return f"{NAMES[self.owner].path}/{{owner}}/{self.kind}" if self.owner else f"/{self.kind}"


def show(request: Request, resource: Resource, entity: Entity, includes: Sequence[str] = ()) -> dict[str, Any]:
    """An object as answers show it, references described and, where asked for, whole."""
    kind = resource.type_of(entity)
    name = NAMES.get(kind) or Name(resource.kind, resource.path, resource.search)
    address = request.base + name.address(entity)
    shown = {
        "id": entity["id"],
        "type": kind,
        "summary": name.summary(entity),
        "self": address,
        "html_url": address,
        **({"created_at": OPENED} if resource.stamped else {}),
        **resource.defaults,
        **{key: value for key, value in entity.items() if key not in resource.hidden},
        **resource.computed(request, entity),
    }
    for left_out in (*resource.unseen, *set(resource.optional(request)).difference(includes)):
        shown.pop(left_out, None)
    return show_part(request, shown, {name: path for name, path in resource.includes.items() if name in includes})


def show_part(request: Request, shown: dict[str, Any], whole: Mapping[str, str]) -> dict[str, Any]:
    """Anything with references in it, as answers show it: references described, those at `whole`'s paths whole."""
    for first, *rest in (path.split(".") for path in whole.values()):
        shown[first] = _whole(request, shown.get(first), rest)
    return {key: _described(request, value) for key, value in shown.items()}


def _whole(request: Request, value: Any, path: Sequence[str]) -> Any:
    if isinstance(value, list):
        return [_whole(request, one, path) for one in value]
    if not isinstance(value, dict):
        return value
    if path:
        return {**value, path[0]: _whole(request, value.get(path[0]), path[1:])}
    entity = resolve(request.store, value)
    resource = RESOURCES.get(NAMES[str(value["type"]).removesuffix(SUFFIX)].collection) if entity else None
    return value if entity is None or resource is None else show(request, resource, entity)


def _described(request: Request, value: Any) -> Any:
    if isinstance(value, list):
        return [_described(request, one) for one in value]
    if not isinstance(value, dict):
        return value
    kind = value.get("type")
    if isinstance(kind, str) and kind.endswith(SUFFIX) and kind.removesuffix(SUFFIX) in NAMES and "self" not in value:
        return {**value, **described(request.store, value, request.base)}
    return {key: _described(request, one) for key, one in value.items()}


RESOURCES: dict[str, Resource] = {}


def known(resource: Resource) -> Resource:
    """Make a resource known by its collection, so that others may include it."""
    RESOURCES[resource.kind] = resource
    return resource
