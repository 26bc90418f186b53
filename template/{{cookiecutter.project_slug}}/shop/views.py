"""The pages of the shop."""

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import cache_page
from django.views.decorators.http import require_POST, require_safe

from .basket import Basket, OutOfStockError
from .catalogue import afind_product, find_product
from .counters import count_visit
from .models import Product
from .offers import price_today
from .throttle import MINUTE, throttled

SEARCHES_PER_MINUTE = 10


@require_safe
@cache_page(MINUTE)
def product_list(request: HttpRequest) -> HttpResponse:
    products = Product.objects.all()
    return render(request, "shop/product_list.html", {"products": products})


@require_safe
def product_page(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        product = find_product(slug)
    except Product.DoesNotExist:
        raise Http404 from None
    context = {
        "product": product,
        "price": price_today(product),
        "visit": count_visit(slug),
    }
    return render(request, "shop/product.html", context)


@require_safe
async def stock(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        product = await afind_product(slug)
    except Product.DoesNotExist:
        raise Http404 from None
    return JsonResponse({"stock": product.stock})


@require_safe
@throttled(SEARCHES_PER_MINUTE)
def search(request: HttpRequest) -> HttpResponse:
    words = request.GET.get("q", "").strip()
    products = Product.objects.filter(name__icontains=words) if words else []
    context = {"words": words, "products": products}
    return render(request, "shop/search.html", context)


@require_safe
def basket(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/basket.html", {"basket": Basket(request.session)})


@require_POST
def basket_add(request: HttpRequest, slug: str) -> HttpResponse:
    Basket(request.session).add(get_object_or_404(Product, slug=slug))
    return redirect("basket")


@require_POST
def basket_remove(request: HttpRequest, slug: str) -> HttpResponse:
    Basket(request.session).remove(slug)
    return redirect("basket")


@require_POST
def checkout(request: HttpRequest) -> HttpResponse:
    basket = Basket(request.session)
    try:
        basket.buy()
    except OutOfStockError as error:
        context = {"basket": basket, "error": error}
        return render(request, "shop/basket.html", context, status=409)
    return render(request, "shop/thanks.html")
