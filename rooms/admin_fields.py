"""Fields of the forms about rooms in the admin."""

from typing import Any

from django import forms
from django.contrib.auth.models import User


class OwnerField(forms.ModelChoiceField):
    """A user name that is typed: a list of all users would be long, and for superusers only."""

    widget = forms.TextInput(attrs={"class": "vTextField", "autocomplete": "off"})
    default_error_messages = {"invalid_choice": "There is no user of this name."}

    def __init__(self, **named: Any) -> None:
        super().__init__(
            User.objects.all(), to_field_name="username", empty_label=None, required=False, **named
        )

    def prepare_value(self, value: Any) -> Any:
        """The name, also where Django's forms for models have the id."""
        if isinstance(value, int):
            value = User.objects.filter(pk=value).first()
        return super().prepare_value(value)
