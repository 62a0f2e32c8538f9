"""The forms at the back office's door."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.forms import AuthenticationForm
from unfold.widgets import BASE_INPUT_CLASSES

from apps.operators.errors import LoginLockedError, LoginRefusedError
from apps.operators.services import login

_CODE_ATTRIBUTES = {
    "autocomplete": "one-time-code",
    "inputmode": "text",
    "spellcheck": "false",
    "class": " ".join(BASE_INPUT_CLASSES),
}


class LoginForm(AuthenticationForm):  # type: ignore[misc]
    """Name, password and one-time code, judged together."""

    code = forms.CharField(
        label="One-time code",
        required=False,
        max_length=16,
        help_text="From your authenticator, or a recovery code. Empty at your first login.",
        widget=forms.TextInput(attrs=_CODE_ATTRIBUTES),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail or staff number"
        self.fields["username"].max_length = 254

    def clean(self) -> dict[str, Any]:
        """Let the operator in, or say that something is not right."""
        given: dict[str, Any] = self.cleaned_data
        name, password = given.get("username"), given.get("password")
        if name and password:
            try:
                self.user_cache = login.log_in(
                    self.request, name=name, password=password, code=given.get("code", "")
                )
            except (LoginRefusedError, LoginLockedError) as error:
                raise ValidationError(error.title, code=error.code) from error
        return given


class EnrolForm(forms.Form):
    """The first code of a new device."""

    code = forms.CharField(
        label="Code shown by the app",
        max_length=6,
        widget=forms.TextInput(attrs={**_CODE_ATTRIBUTES, "inputmode": "numeric", "autofocus": ""}),
    )
