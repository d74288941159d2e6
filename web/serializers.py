"""The base of serializers of bodies and queries."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers


class BodySerializer(serializers.Serializer):
    @classmethod
    def read(cls, data: Any, instance: Any = None) -> dict[str, Any]:
        """The validated data; with an `instance`, a part of its fields. Error: invalid."""
        serializer = cls(instance, data=data, partial=instance is not None)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def get_fields(self) -> dict[str, Any]:
        """DRF's own sentence about a wrong choice does not say which there are."""
        fields = super().get_fields()
        for field in fields.values():
            if isinstance(field, serializers.ChoiceField):
                choices = ", ".join(map(str, field.choices))
                field.error_messages["invalid_choice"] = f"“{{input}}” is none of: {choices}."
        return fields


class StrictSerializer(BodySerializer):
    """Refuses unknown fields, so that a misspelled one does not pass in silence."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            for name in data:
                if name not in self.fields:
                    known = ", ".join(self.fields) or "nothing"
                    raise serializers.ValidationError({name: f"Unknown. Known here: {known}."})
        return super().to_internal_value(data)
