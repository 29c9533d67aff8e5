from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.fields import FieldInfo


class Section(BaseModel):
    """A frozen group of settings that refuses unknown keys and never repeats a value in an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        str_strip_whitespace=True,
        defer_build=True,  # only what is used is built: every process starts sooner
    )

    @model_validator(mode="before")
    @classmethod
    def _nothing_means_default(cls, data: Any) -> Any:
        """Leave out keys without a value; unknown ones stay, to be refused."""
        if not isinstance(data, dict):
            return data
        known = fields_of(cls)
        return {key: value for key, value in data.items() if value is not None or key not in known}


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields of a model by the names that files use: some of those are no names in Python."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
