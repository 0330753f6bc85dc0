"""Logging in and out, and the way back for who forgot: on allauth's views with our own pages."""

from datetime import timedelta
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.views import LoginView as AllauthLogin
from django.contrib.auth import logout as end_session
from django.contrib.auth.password_validation import password_validators_help_texts
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from flowdesk.accounts import sessions, users
from flowdesk.accounts.audit import AuditAct
from flowdesk.accounts.links import BadLink, user_of_link
from flowdesk.accounts.throttle import TooManyAttempts, count_attempt, link_buckets, login_buckets, take_back
from flowdesk.core.addresses import address_of
from flowdesk.core.errors import Invalid
from flowdesk.core.text import LONGEST_ADDRESS
from flowdesk.core.time import now
from flowdesk.web.account.page import LinkPage, LoginPage, login_form, lost_password_form, new_password_form
from flowdesk.web.faults import reason_words
from flowdesk.web.parts import Link
from flowdesk.web.words import MINUTE, length


class NoSignup(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts are made by admins; coming in needs no congratulation."""

    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": gettext_lazy("This email and this password do not belong together."),
    }

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the page that opens says enough."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        """The person; one who is switched off is answered like one who is not known."""
        user = super().authenticate(request, **credentials)
        return user if user is not None and user.is_active else None


def typed_address(request: HttpRequest, field: str) -> str:
    """The address somebody typed, as limits count it."""
    return str(request.POST.get(field, "")).strip().casefold()[:LONGEST_ADDRESS].replace("\x00", "")


class LoginView(AllauthLogin):  # type: ignore[misc]
    """The way in; a refused form comes back with 422 and its reasons, one too many with 429."""

    template_name = "account/login.html"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        at, email = now(), typed_address(request, "login")
        attempt = login_buckets(address_of(request.META), email)
        try:
            count_attempt(attempt, now=at)
        except TooManyAttempts as fault:
            if fault.is_first:
                users.note_refused(AuditAct.LOCKED_OUT, email, now=at)
            return self._locked_out(fault)
        response: HttpResponse = super().post(request, *args, **kwargs)
        if request.user.is_authenticated:
            take_back(attempt)
            self._begin_session()
        else:
            users.note_refused(AuditAct.LOGIN_FAILED, email, now=at)
        return response

    def _begin_session(self) -> None:
        at = now()
        sessions.begin(
            self.request.session,
            address=address_of(self.request.META),
            device=self.request.META.get("HTTP_USER_AGENT", ""),
            is_remembered=bool(self.request.POST.get("remember")),
            now=at,
        )
        users.note_access(AuditAct.LOGGED_IN, self.request.user, now=at)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        bound = context["form"]
        errors = {name: list(said) for name, said in bound.errors.items()} if bound.is_bound else {}
        context["page"] = self._page(errors)
        return dict(context)

    def _page(self, errors: dict[str, list[str]]) -> LoginPage:
        form = login_form(
            reverse("account_login"),
            next_href=self.request.POST.get("next") or self.request.GET.get("next", ""),
        )
        if errors:
            given = {name: str(self.request.POST.get(name, "")) for name in ("login", "remember")}
            form = form.answered(given, errors)
        return LoginPage(form=form, forgot_href=reverse("lost-password"))

    def form_invalid(self, form: Any) -> HttpResponse:
        response: HttpResponse = self.render_to_response(self.get_context_data(form=form), status=422)
        return response

    def _locked_out(self, fault: TooManyAttempts) -> HttpResponse:
        page = self._page({"": [too_many_words(fault)]})
        return _with_retry(render(self.request, self.template_name, {"page": page}, status=429), fault)


login = LoginView.as_view()


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    """End this session."""
    if request.user.is_authenticated:
        users.note_access(AuditAct.LOGGED_OUT, request.user, now=now())
    end_session(request)
    return HttpResponseRedirect(reverse("account_login"))


@never_cache
@require_http_methods(["GET", "POST"])
def lost_password(request: HttpRequest) -> HttpResponse:
    """Ask for a link by mail. The answer is the same whether there is such a person or not."""
    form = lost_password_form(reverse("lost-password"))
    page = LinkPage(
        title=_("Forgotten password"),
        words=_("We send you a link with which you choose a new one."),
        form=form,
    )
    if request.method == "GET":
        return _link_page(request, page)
    at, email = now(), typed_address(request, "email")
    if "@" not in email:
        form = form.answered({"email": email}, {"email": [_("This is not an email address.")]})
        return _link_page(request, LinkPage(title=page.title, words=page.words, form=form), status=422)
    try:
        count_attempt(link_buckets(address_of(request.META), email), now=at)
    except TooManyAttempts as fault:
        form = form.answered({"email": email}, {"": [too_many_words(fault)]})
        refused = LinkPage(title=page.title, words=page.words, form=form)
        return _with_retry(_link_page(request, refused, status=429), fault)
    users.ask_for_link(email, now=at)
    said = _(
        "If somebody logs in with that address, a mail is on its way. Its link works once, within an hour."
    )
    return _link_page(request, LinkPage(title=_("Look into your mail"), words=said, links=(_to_login(),)))


@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def new_password(request: HttpRequest) -> HttpResponse:
    """Choose a password with a link; one that is used, old or not whole answers 404."""
    at = now()
    link = str(request.POST.get("link") or request.GET.get("link", ""))
    try:
        user = user_of_link(link, now=at)
        form = new_password_form(reverse("new-password"), link=link, rules=password_validators_help_texts())
        page = LinkPage(
            title=_("Choose a password"), words=_("For {email}.").format(email=user.email), form=form
        )
        if request.method == "GET":
            return _link_page(request, page)
        users.choose_password(link, new=str(request.POST.get("new", "")), now=at)
    except BadLink:
        return _link_page(request, _bad_link_page(), status=404)
    except Invalid as fault:
        form = form.answered({}, {"new": [reason_words(one.reason) for one in fault.faults]})
        return _link_page(request, LinkPage(title=page.title, words=page.words, form=form), status=422)
    said = _("Log in with it. Every log-in you had has ended.")
    return _link_page(
        request, LinkPage(title=_("Your new password is kept"), words=said, links=(_to_login(),))
    )


def too_many_words(fault: TooManyAttempts) -> str:
    """When to try again."""
    return _("Too many attempts. Try again in {length}.").format(length=length(_wait(fault)))


def _bad_link_page() -> LinkPage:
    return LinkPage(
        title=_("This link does not work"),
        words=_("It has been used, it is too old, or a part of it is missing."),
        links=(Link(words=_("Send me another one"), href=reverse("lost-password")), _to_login()),
    )


def _to_login() -> Link:
    return Link(words=_("Log in"), href=reverse("account_login"))


def _link_page(request: HttpRequest, page: LinkPage, *, status: int = 200) -> HttpResponse:
    return render(request, "account/link.html", {"page": page}, status=status)


def _wait(fault: TooManyAttempts) -> timedelta:
    """Until the window ends, in whole minutes: "0m" would be said for the last of them."""
    return -(-(fault.ends_at - now()) // MINUTE) * MINUTE


def _with_retry(response: HttpResponse, fault: TooManyAttempts) -> HttpResponse:
    response["Retry-After"] = str(int(_wait(fault).total_seconds()))
    return response
