from django.urls import re_path

from archives.views import ArchiveViewSet, SharedView

ID = r"^archive/(?P<archive_id>[^/]+)"

urlpatterns = [
    re_path(r"^archive/?\Z", ArchiveViewSet.as_view({"get": "list"})),
    re_path(r"^archive/start/?\Z", ArchiveViewSet.as_view({"post": "start"})),
    re_path(ID + r"/stop/?\Z", ArchiveViewSet.as_view({"post": "stop"})),
    re_path(ID + r"/view/?\Z", ArchiveViewSet.as_view({"get": "view"})),
    re_path(ID + r"/?\Z", ArchiveViewSet.as_view({"get": "retrieve"})),
    re_path(r"^shared/(?P<link>[^/]+)/?\Z", SharedView.as_view()),
]
