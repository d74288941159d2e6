"""Recordings that pages are told of, and that follow what pages do."""


def test_a_recording_is_told_to_all_and_to_latecomers(routed):
    anna = routed.join()
    anna.publish()
    archive = routed.archive(sessionId=routed.session_id, name="standup")
    anna.wait("archiveStarted", archive=archive["id"], name="standup")
    ben = routed.join()
    ben.wait("archiveStarted", archive=archive["id"])
    routed.archive(f"/{archive['id']}/stop")
    for page in (anna, ben):
        page.wait("archiveStopped", archive=archive["id"])
    carl = routed.join()
    carl.wait("sessionConnected")
    assert carl.events("archiveStarted") == []


def test_a_recording_pauses_while_no_page_publishes_and_ends_without_pages(routed):
    anna = routed.join()
    stream = anna.publish({"stay": True})
    archive = routed.archive(sessionId=routed.session_id)
    anna.unpublish(stream)
    anna.wait("publisher:streamDestroyed")
    routed.wait_for_archive(archive["id"], status="paused")
    anna.publish_again(stream)
    routed.wait_for_archive(archive["id"], status="started")
    anna.close()
    routed.wait_until_empty()
    routed.emulator.advance(61)
    ended = routed.archive(f"/{archive['id']}", "GET")
    assert ended["reason"] == "session ended"
