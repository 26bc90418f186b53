from django.contrib import admin

from .models import Product


@admin.register(Product)
class ProductAdmin(admin.ModelAdmin):
    list_display = ("name", "price", "stock")
    prepopulated_fields = {"slug": ("name",)}  # noqa: RUF012
