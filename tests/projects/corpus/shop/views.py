"""Pages that Django and REST framework keep in a cache, whole or in part."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from rest_framework.response import Response
from rest_framework.throttling import AnonRateThrottle
from rest_framework.views import APIView


def name(request):
    return HttpResponse(settings.SHOP_NAME)


def menu(request, language):
    context = {"language": language, "dish": request.GET["dish"]}
    return render(request, "menu.html", context)


def basket(request):
    return HttpResponse(", ".join(request.session.get("basket", [])) or "empty")


class SearchThrottle(AnonRateThrottle):
    scope = "search"
    rate = "2/hour"


class VoteThrottle(AnonRateThrottle):
    scope = "vote"
    rate = "2/hour"


class Search(APIView):
    throttle_classes = (SearchThrottle,)

    def get(self, request):
        return Response("found")


class Vote(APIView):
    throttle_classes = (VoteThrottle,)

    def post(self, request):
        return Response("counted")
