"""What cookies promise, read from the address that people know: FLOWDESK_PUBLIC_URL."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit


def cookie_settings(public_url: str) -> dict[str, Any]:
    """Django's settings for the cookies of sessions and forms.

    Under https the names begin with `__Host-`, which browsers keep for cookies that are Secure, come from this very
    host and hold for all of it: no other host of the domain can plant one. Without https they would be refused.
    """
    parts = urlsplit(public_url.strip())
    is_https = parts.scheme == "https"
    prefix = "__Host-" if is_https else ""
    return {
        "SESSION_COOKIE_NAME": f"{prefix}sessionid",
        "SESSION_COOKIE_SECURE": is_https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "CSRF_COOKIE_NAME": f"{prefix}csrftoken",
        "CSRF_COOKIE_SECURE": is_https,
        "CSRF_COOKIE_HTTPONLY": True,
        "CSRF_COOKIE_SAMESITE": "Lax",
        # A proxy that ends TLS speaks http with us: the browser's Origin is still the public address.
        "CSRF_TRUSTED_ORIGINS": [f"{parts.scheme}://{parts.netloc}"] if is_https else [],
    }
