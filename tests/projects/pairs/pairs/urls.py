"""One page: how many notes there are."""

from django.http import HttpResponse
from django.urls import path
from leaks.models import Note


def notes(request):
    return HttpResponse(Note.objects.count())


urlpatterns = [path("notes", notes)]
