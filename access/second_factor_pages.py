"""Pages of the second factor: asking for a code after the password, and setting it up."""

import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.safestring import mark_safe
from django.views.decorators.cache import never_cache

from access.failures import note_failure
from access.guesses import Guesses
from access.limits import address_of
from access.login import page_after
from access.second_factor import half_user_of, is_owed, note_given
from audit.models import Entry
from staff import second_factors
from staff.models import SecondFactor

logger = logging.getLogger(__name__)

OFFERED = "second_factor_offered"  # the secret, encrypted, until a code has proved it


class CodeForm(forms.Form):
    code = forms.CharField(
        label="Code",
        max_length=32,
        widget=forms.TextInput(
            {"autocomplete": "one-time-code", "autofocus": True, "autocapitalize": "off"}
        ),
    )


class ProofForm(forms.Form):
    proof = forms.CharField(
        label="Your password, or a code",
        max_length=4096,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "current-password"}),
    )


def urls() -> list[URLPattern]:
    return [
        path("login/code/", ask, name="second_factor_code"),
        path("second-factor/", choose, name="second_factor"),
    ]


def to(page: str, request: HttpRequest) -> HttpResponseRedirect:
    """A redirect to one of the pages, which leads on to the page that was asked for."""
    after = urlencode({"next": _after(request)})
    return HttpResponseRedirect(f"{reverse(f'admin:{page}')}?{after}")


@never_cache
def ask(request: HttpRequest) -> HttpResponse:
    """Ask for a code after the password."""
    user = half_user_of(request)
    if user is None:
        return HttpResponseRedirect(_after(request))
    factor = SecondFactor.objects.of(user)
    if factor is None:
        return to("second_factor", request)
    if "leave" in request.POST:
        logout(request)
        return redirect("admin:login")
    form = CodeForm(request.POST or None)
    if form.is_valid():
        code = form.cleaned_data["code"]
        if _check(request, user, lambda: _take(factor, code)):
            note_given(request, user, factor)
            return HttpResponseRedirect(_after(request))
        form.add_error("code", "This code is not right, or was used already.")
    return _page(request, "code", form=form, title="Second factor", after=_after(request))


@never_cache
def choose(request: HttpRequest) -> HttpResponse:
    """Set up or change one's own second factor."""
    half = half_user_of(request)
    user: Any = half or request.user
    factor = SecondFactor.objects.of(user) if user.is_authenticated else None
    if not user.is_authenticated or (half and factor):
        login = urlencode({"next": request.path})
        return HttpResponseRedirect(f"{reverse('admin:login')}?{login}")
    if factor is None:
        return _set_up(request, user, has_to=bool(half))
    return _change(request, user, factor)


def _set_up(request: HttpRequest, user: Any, *, has_to: bool) -> HttpResponse:
    if "leave" in request.POST:
        logout(request)
        return redirect("admin:login")
    secret = second_factors.decrypt(request.session.get(OFFERED, ""))
    if not secret:
        secret = second_factors.new_secret()
        request.session[OFFERED] = second_factors.encrypt(secret)
    form = CodeForm(request.POST or None)
    if form.is_valid():
        code = second_factors.typed(form.cleaned_data["code"])
        step = second_factors.step_of(secret, code)
        if step is not None:
            return _switch_on(request, user, secret, step)
        form.add_error(
            "code", "This code is not right. Does your phone's clock show the right time?"
        )
    link = second_factors.address_of(secret, f"{user.get_username()}@{request.get_host()}")
    # Safe: it is made here, from a link in which the name is quoted.
    svg = segno.make_qr(link).svg_inline(scale=5, light="#fff", title="QR code for your app")
    return _page(
        request, "set_up", title="Second factor", form=form, has_to=has_to, after=_after(request),
        qr=mark_safe(svg), secret=" ".join(secret[i : i + 4] for i in range(0, len(secret), 4)),  # noqa: S308
    )  # fmt: skip


def _switch_on(request: HttpRequest, user: Any, secret: str, step: int) -> HttpResponse:
    was_owed = is_owed(request, user)
    factor, is_new = SecondFactor.objects.switch_on(user, secret, step)
    if not is_new:  # in another window
        return to("second_factor", request)
    request.session.pop(OFFERED, None)
    note_given(request, user, factor, was_owed=was_owed)
    Entry.objects.note("second_factor.switched_on", user)
    return _show_codes(request, factor)


def _change(request: HttpRequest, user: Any, factor: SecondFactor) -> HttpResponse:
    form = ProofForm(request.POST or None)
    if form.is_valid():
        proof = form.cleaned_data["proof"]
        if not _check(request, user, lambda: user.check_password(proof) or _take(factor, proof)):
            form.add_error("proof", "This is neither your password nor a code that is good now.")
        elif "switch_off" in request.POST:
            factor.delete()
            Entry.objects.note("second_factor.switched_off", user)
            messages.success(request, "The second factor is off.")
            return to("second_factor", request)
        else:
            Entry.objects.note("recovery_codes.renewed", user)
            return _show_codes(request, factor)
    left = factor.codes.count()
    return _page(request, "change", title="Second factor", form=form, factor=factor, left=left)


def _show_codes(request: HttpRequest, factor: SecondFactor) -> HttpResponse:
    """Without a redirect, which would have to store them."""
    codes = factor.new_recovery_codes()
    text = "".join(f"{code}\n" for code in codes)
    return _page(
        request, "recovery_codes", title="Recovery codes", text=text,
        file=f"data:text/plain;charset=utf-8,{quote(text)}", after=_after(request),
    )  # fmt: skip


def _take(factor: SecondFactor, code: str) -> bool:
    if factor.take_code(code):
        return True
    if not factor.take_recovery_code(code):
        return False
    Entry.objects.note("recovery_code.used", factor.user, left=factor.codes.count())
    return True


def _check(request: HttpRequest, user: Any, is_right: Callable[[], bool]) -> bool:
    """Counted as passwords are, with a slower limit, since three of a million codes are valid at a
    time. RateLimited.
    """
    address = address_of(request.META)
    all_clients = ("second_factor", str(user.pk))
    own = ("login", address)
    guesses = Guesses(own, all_clients, client=address, slow_limit="second_factor")
    if guesses.check(is_right):
        return True
    logger.warning("A second factor was not right, from %s", address)
    note_failure("second_factor.failed", address, user)
    return False


def _after(request: HttpRequest) -> str:
    asked = request.POST.get("next") or request.GET.get("next") or ""
    return page_after(request, asked)


def _page(request: HttpRequest, name: str, **context: Any) -> HttpResponse:
    context = admin.site.each_context(request) | context
    return TemplateResponse(request, f"admin/second_factor/{name}.html", context)
