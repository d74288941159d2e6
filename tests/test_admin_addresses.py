"""Made-up addresses in the admin: what a page does not offer is refused, and nothing is a 500."""

import re
import uuid
from html import unescape
from itertools import product
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.utils import timezone

from access.models import ApiKey
from archives.models import Archive
from rooms.models import Room

pytestmark = pytest.mark.django_db
ROOMS = "/admin/rooms/room/"
LISTS = [
    f"/admin/{model}/"
    for model in ("rooms/room", "archives/archive", "access/apikey", "auth/user", "auth/group",
                  "admin/logentry")
]  # fmt: skip
LOOKUPS = [
    "status__exact", "e2ee__exact", "is_staff__exact", "groups__id__exact", "last_used_at__gte",
    "action_flag__exact", "room__id__exact", "created_at__year", "last_used_at__year",
    "created_at__month", "created_at", "created_at__exact", "last_used_at", "e2ee__id__exact",
    "created_at-since", "created_at-until", "last_used_at-since", "last_used_at-x", "owner",
    "owner-name", "room", "status__isnull", "id__gt", "room__name__regex", "name__iregex", "x", "__", "pk",
]  # fmt: skip
DATES = ("created_at", "last_used_at")
# In the database they are as secret as they look.
SECRET = [
    ("/admin/rooms/room/", "access_code"),
    ("/admin/archives/archive/", "room__access_code"),
    ("/admin/access/apikey/", "secret_hash"),
    ("/admin/auth/user/", "password"),
    ("/admin/auth/group/", "user__password"),
    ("/admin/admin/logentry/", "user__password"),
]
HUGE = ["99999", "9" * 20, "9" * 5000, "0", "x", "", "\ud800"]
VALUES = [*HUGE, "-1", "9999-12-31 23:59:59-23:00", "0001-01-01 00:00:00+23:59", "1,2", "a" * 3000]


@pytest.fixture
def root(transactional_db):
    """A browser of somebody who may do everything, where there is something to look at.

    Outside a transaction, as requests are: PostgreSQL would answer nothing in it after an error.
    """
    rooms = [
        Room.objects.create(
            name=f"room {number}", session_id=f"1_{number}", last_used_at=timezone.now()
        )
        for number in range(3)
    ]
    for room in rooms:
        Archive.objects.create(
            id=uuid.uuid4(), room=room, session_id=room.session_id, status="available"
        )
    ApiKey(name="key", capabilities=["join"]).issue()
    Group.objects.create(name="group")
    root = User.objects.create_superuser("root")
    of_rooms = ContentType.objects.get_for_model(Room)
    LogEntry.objects.create(user=root, content_type=of_rooms, action_flag=1, object_repr="x")
    return logged_in(root)


@pytest.fixture(params=["root", "viewer"])
def staff(request, root):
    """The same, and one of somebody who may only look at everything."""
    if request.param == "root":
        return root
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return logged_in(viewer)


def logged_in(user):
    browser = Client(raise_request_exception=False)
    browser.force_login(user)
    return browser


def encoded(query):
    pairs = [(name, value.encode("utf-8", "surrogatepass")) for name, value in query]
    return urlencode(pairs)


def test_a_regular_expression_in_the_address_keeps_no_worker_busy(server):
    Room.objects.create(name="a" * 60 + "!", session_id="1_x")
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    cookies = {"sessionid": browser.cookies["sessionid"].value}
    answer = server.get("/admin/rooms/room/?name__regex=^(a|a|aa)%2B$", cookies=cookies)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/rooms/room/?e=1")


@pytest.mark.parametrize(("path", "field"), SECRET)
@pytest.mark.parametrize("lookup", ["regex", "startswith", "gt", "exact", "in", "isnull"])
def test_what_is_secret_cannot_be_looked_up(staff, path, field, lookup):
    answer = staff.get(path, {f"{field}__{lookup}": "a"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{path}?e=1")


@pytest.mark.parametrize("path", LISTS)
def test_each_link_that_a_list_offers_works(staff, path):
    """Filters, dates and columns, and what the pages offer that they lead to."""
    seen, found = {""}, [""]
    for query in found:
        if len(found) > 40:
            break
        answer = staff.get(path + query)
        assert answer.status_code == 200, query
        links = set(re.findall(r'href="(\?[^"]*)"', unescape(answer.content.decode()))) - seen
        seen |= links
        found += sorted(links)
    filters = {"/admin/access/apikey/": 0, "/admin/auth/group/": 0}.get(path, 3)
    assert len([link for link in seen if "=" in link]) >= filters
    if path in ("/admin/rooms/room/", "/admin/archives/archive/"):
        assert [link for link in seen if "=last+month" in link]


@pytest.mark.parametrize("path", LISTS)
def test_a_made_up_query_of_a_list_is_no_server_error(root, path):
    queries = [[(name, value)] for name, value in product(LOOKUPS, VALUES)]
    for date, value in product(DATES, HUGE):
        year, month, day = (f"{date}__{part}" for part in ("year", "month", "day"))
        queries += [
            [(year, value), (month, "12"), (day, "31")],
            [(year, "9999"), (month, value)],
            [(year, "9999"), (month, "12"), (day, value)],
            [(year, "2024"), (day, value)],
            [(month, value), (day, value)],
        ]
    queries += [[(date, "9999")] for date in (f"{each}__year" for each in DATES)]
    queries += [[(name, "1")] * 990 for name in ("is_staff__exact", "e2ee__exact", "x")]
    queries += [[("x", "1")] * 1100]
    answers = {root.get(f"{path}?{encoded(query)}").status_code for query in queries}
    assert {302, 400} <= answers <= {200, 302, 400}


@pytest.mark.parametrize("path", LISTS)
def test_a_made_up_page_search_or_order_of_a_list_is_no_server_error(root, path):
    names = ["p", "o", "all", "_to_field", "_popup", "_facets"]
    queries = [[(name, value)] for name, value in product(names, HUGE)]
    queries += [[("q", word)] for word in ("a " * 9000, "a" * 60_000, '"', "%" * 500, "\U0010ffff")]
    queries += [[("o", "0" + f".{column}" * 2040)] for column in range(3)]
    answers = {root.get(f"{path}?{encoded(query)}").status_code for query in queries}
    assert answers <= {200, 302}


@pytest.mark.parametrize("name", ["o", "q", "p", "_popup", "status__exact"])
def test_a_query_that_is_too_long_is_not_repeated_in_each_link_of_a_list(root, name):
    answer = root.get(ROOMS, {name: "1." * 2100})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{ROOMS}?e=1")


@pytest.mark.parametrize("word", ["\U0001f600" * 255, "1_" + "x" * 253])
def test_a_search_may_be_as_long_as_a_session_id_in_any_script(root, word):
    Room.objects.create(name="long", session_id=word)
    assert ">long<" in root.get(ROOMS, {"q": word}).content.decode()


@pytest.mark.parametrize("path", LISTS)
def test_a_made_up_object_or_form_is_no_server_error(staff, path):
    ids = ["0", "abc", "9" * 22, "9" * 5000, "_00", "_2F", "-1", "1.5", str(uuid.uuid4())]
    views = ["change/", "delete/", "history/", "password/", "", "x/", "change/?_to_field=password"]
    addresses = [f"{path}{pk}/{view}" for pk, view in product(ids, views)]
    addresses += [f"{path}add/?expires_at=x&last_login=x&permissions=x&groups=x&name=%ED%A0%80"]
    addresses += [f"{path}add/?_to_field=password", f"{path}add/?_popup=1&_source_model=x"]
    assert {staff.get(each).status_code for each in addresses} <= {200, 302, 400, 403, 404}


def test_a_made_up_address_beside_the_lists_is_no_server_error(staff):
    kinds = [*ContentType.objects.values_list("pk", flat=True), "x", "9" * 30]
    addresses = [f"/admin/r/{kind}/{pk}/" for kind, pk in product(kinds, ["abc", "1", "9" * 22])]
    for app, model, field in product(
        ["rooms", "archives", "admin", "auth", "x"], ["room", "archive", "logentry", "user", "x"],
        ["archives", "past_sessions", "room", "user", "groups", "id", "x"],
    ):  # fmt: skip
        names = f"app_label={app}&model_name={model}&field_name={field}"
        addresses.append(f"/admin/autocomplete/?{names}&term={'a+' * 5000}")
    assert {staff.get(address).status_code for address in addresses} == {404}
    for address in ("jsi18n/?language=x", "login/?next=//x", "x/", "%ED%A0%80/", "rooms/x/"):
        assert staff.get(f"/admin/{address}").status_code in {200, 302, 400, 404}


@pytest.mark.parametrize("path", LISTS)
def test_a_made_up_action_or_selection_is_no_server_error(root, path):
    actions = ["new_session", "delete_selected", "revoke_selected", "made_up"]
    selections = [["x"], ["9" * 22], ["9" * 5000], [""], ["\0"], [str(uuid.uuid4())]]
    tried = [
        {"action": action, "_selected_action": selected, "index": index}
        for action, selected, index in product(actions, selections, ["0", "9" * 30])
    ]
    tried += [{"action": action, "_selected_action": ["x"]} for action in actions]
    tried += [{"action": "new_session", "_selected_action": ["1"] * 10_000}]
    tried += [{"action": "new_session", "_selected_action": [str(pk) for pk in range(1, 900)]}]
    answers = {root.post(path, fields).status_code for fields in tried}
    assert answers <= {200, 302, 400, 413}
    assert 413 in answers
