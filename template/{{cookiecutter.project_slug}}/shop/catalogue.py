"""Products, read through the cache; see signals.py for what takes them out of it."""

{% if cookiecutter.cache_backend == "valkey" -%}
from asgiref.sync import sync_to_async
{% endif -%}
from django.core.cache import cache

from .models import Product

FIVE_MINUTES = 5 * 60


def find_product(slug: str) -> Product:
    """Return a product, from the cache if it is there, or raise DoesNotExist."""
    product = cache.get(key_of(slug))
    if product is None:
        product = Product.objects.get(slug=slug)
        cache.set(key_of(slug), product, FIVE_MINUTES)
    return product


async def afind_product(slug: str) -> Product:
    """Do what find_product does, for asynchronous views."""
{%- if cookiecutter.cache_backend == "valkey" %}
    # The cache of django-valkey that has sessions has no asynchronous methods.
    return await sync_to_async(find_product)(slug)
{%- else %}
    product = await cache.aget(key_of(slug))
    if product is None:
        product = await Product.objects.aget(slug=slug)
        await cache.aset(key_of(slug), product, FIVE_MINUTES)
    return product
{%- endif %}


def forget_product(slug: str) -> None:
    cache.delete(key_of(slug))


def key_of(slug: str) -> str:
    return f"product:{slug}"
