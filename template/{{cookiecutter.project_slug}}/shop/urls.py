from django.urls import path

from . import {{ "api, " if cookiecutter.drf == "yes" }}views

urlpatterns = [
    path("", views.product_list, name="product_list"),
    path("search/", views.search, name="search"),
    path("products/<slug:slug>/", views.product_page, name="product"),
    path("products/<slug:slug>/stock/", views.stock, name="stock"),
    path("basket/", views.basket, name="basket"),
    path("basket/add/<slug:slug>/", views.basket_add, name="basket_add"),
    path("basket/remove/<slug:slug>/", views.basket_remove, name="basket_remove"),
    path("checkout/", views.checkout, name="checkout"),
{%- if cookiecutter.drf == "yes" %}
    path("api/products/", api.ProductList.as_view(), name="api_products"),
{%- endif %}
]
