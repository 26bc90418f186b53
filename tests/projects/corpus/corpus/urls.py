"""The pages of the shop."""

from django.urls import path
from django.views.decorators.cache import cache_page
from shop import views

urlpatterns = [
    path("welcome/", cache_page(60)(views.name)),
    path("imprint/", cache_page(60)(views.name)),
    path("contact/", cache_page(60)(views.name)),
    path("menu/<slug:language>/", views.menu),
    path("basket/", views.basket),
    path("search/", views.Search.as_view()),
    path("vote/", views.Vote.as_view()),
]
