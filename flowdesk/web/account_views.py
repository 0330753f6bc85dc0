"""Logging in and out, on allauth's views with our own page."""

from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.views import LoginView as AllauthLogin
from django.contrib.auth import logout as end_session
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from flowdesk.web.account import LoginPage, login_form


class NoSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by admins; coming in needs no congratulation."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("This email and this password do not belong together."),
    }

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the page that opens says enough."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


def typed_address(request: HttpRequest, credentials: Any = None) -> str:
    """Who is trying to come in: failures count for this address from this machine, not for the machine alone."""
    return str(request.POST.get("login", "")).strip().casefold()[:254]


def locked_out(request: HttpRequest, credentials: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """Too many wrong passwords: the form comes back and says when to try again."""
    page = login_form(reverse("account_login"))
    page = page.answered({"login": typed_address(request)}, {"": [str(LOCKED)]})
    response = render(request, "account/login.html", {"page": LoginPage(form=page)}, status=429)
    response["Retry-After"] = "900"
    return response


LOCKED = _("Too many attempts. Wait a quarter of an hour, then try again.")


class LoginView(AllauthLogin):  # type: ignore[misc]
    """The way in; a refused form comes back with 422 and its reasons."""

    template_name = "account/login.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        page = login_form(
            reverse("account_login"),
            next_href=self.request.POST.get("next") or self.request.GET.get("next", ""),
        )
        bound = context["form"]
        if bound.is_bound:
            given = {name: str(self.request.POST.get(name, "")) for name in ("login", "remember")}
            page = page.answered(given, {name: list(said) for name, said in bound.errors.items()})
        context["page"] = LoginPage(form=page)
        return dict(context)

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return response


login = LoginView.as_view()


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End this session."""
    end_session(request)
    return HttpResponseRedirect(reverse("account_login"))
