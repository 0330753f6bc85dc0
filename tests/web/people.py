"""People at their browsers, without one."""

from django.test import Client

from tests.web.desk import PASSWORD


def logged_in(email: str) -> Client:
    """Somebody who has come in through the login page."""
    client = Client()
    answer = client.post("/login", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return client
