"""One page that counts how often it was asked for."""

from django.core.cache import cache
from django.http import HttpResponse
from django.urls import path


def count(request):
    cache.add("page", 0)
    return HttpResponse(str(cache.incr("page")))


urlpatterns = [path("count/", count)]
