"""As small as settings can be; what tests change in them stands at the end."""

SECRET_KEY = "not a secret"
INSTALLED_APPS = ["shop"]
DATABASES = {}
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "shop.urls"
SHOP_FLOOR = 1
SHOP = {"rooms": 1}
