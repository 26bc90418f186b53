"""No URLs: it is asked which module they are in."""

urlpatterns = []
