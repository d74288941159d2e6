from django.urls import re_path

from live.callbacks import CallbackView

urlpatterns = [re_path(r"^callbacks/?\Z", CallbackView.as_view())]
