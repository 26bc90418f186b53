"""A limit on how often one address may ask."""

from collections.abc import Callable
from functools import wraps

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse

from .counters import count

MINUTE = 60

View = Callable[..., HttpResponse]


def throttled(limit: int) -> Callable[[View], View]:
    """Let each address call a view so many times a minute, and answer 429 after."""

    def decorate(view: View) -> View:
        @wraps(view)
        def throttled_view(
            request: HttpRequest, *args: object, **kwargs: object
        ) -> HttpResponse:
            key = f"{view.__name__}:{request.META['REMOTE_ADDR']}"
            if count(caches["throttle"], key, MINUTE) > limit:
                return HttpResponse(
                    "Too many requests. Come back in a minute.",
                    status=429,
                    headers={"Retry-After": str(MINUTE)},
                )
            return view(request, *args, **kwargs)

        return throttled_view

    return decorate
