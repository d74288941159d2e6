"""The JSON of the OpenTok side, shaped as recorded answers of the real service."""

from __future__ import annotations

import time
import uuid
from typing import Any

from emulator.archives import Archive
from emulator.auth import Project
from emulator.recording import recording_of
from emulator.runs import Broadcast, Captions, Render


def session_created(session_id: str, project: Project, now: int) -> list[dict[str, Any]]:
    """The answer of session create: one session in a list, ids as strings."""
    created = time.strftime("%a %b %d %H:%M:%S UTC %Y", time.gmtime(now // 1000))
    return [
        {
            "session_id": session_id,
            "project_id": project.id,
            "partner_id": project.id,
            "create_dt": created,
            "session_status": None,
            "status_invalid": None,
            "media_server_hostname": None,
            "messaging_server_url": None,
            "messaging_url": None,
            "symphony_address": None,
            "properties": None,
            "ice_server": None,
            "session_segment_id": str(uuid.uuid4()),
            "ice_servers": None,
            "ice_credential_expiration": 86100,
        }
    ]


def archive_object(
    archive: Archive, *, url: str | None, transcript: str | None = None, is_new: bool = False
) -> dict[str, Any]:
    """One archive; `url` and `transcript` lead to its files.

    Only the answer of its start has `createdAt` exactly, all others in seconds.
    """
    created_at = archive.created_at if is_new else archive.created_at // 1000 * 1000
    recording = recording_of(archive) if archive.has_file else None
    return {
        "id": archive.id,
        "status": archive.status,
        "name": archive.options.name,
        "reason": archive.reason,
        "sessionId": archive.session_id,
        **owner(archive.project),
        "createdAt": created_at,
        "size": recording.size if recording else 0,
        "duration": round(archive.recorded_ms / 1000) if recording else 0,
        "outputMode": "composed" if archive.options.is_composed else "individual",
        "streamMode": "manual" if archive.options.is_manual else "auto",
        "hasAudio": archive.options.has_audio,
        "hasVideo": archive.options.has_video,
        "hasTranscription": archive.options.transcription is not None,
        "sha256sum": recording.sha256sum if recording else "",
        "password": "",
        "updatedAt": archive.updated_at,
        "event": "archive",
        "url": url,
        **optional_fields(archive, transcript, is_new=is_new),
    }


def owner(project: Project) -> dict[str, Any]:
    """Numbers for an OpenTok project, the application's id alone for a Vonage application."""
    if project.is_vonage:
        return {"applicationId": project.id}
    return {"projectId": int(project.id), "partnerId": int(project.id)}


def named_owner(project: Project) -> dict[str, str]:
    """The same as a text, as renders, captions and session monitoring have it."""
    return {"applicationId" if project.is_vonage else "projectId": project.id}


def broadcast_object(
    broadcast: Broadcast, *, base_url: str, now: int, is_new: bool = False
) -> dict[str, Any]:
    """Its HLS address plays a short loop: emulator/hls.py. Only a look says what its HLS does."""
    settings = {"hls": broadcast.hls} if broadcast.hls is not None else {}
    return {
        "id": broadcast.id,
        "sessionId": broadcast.session_id,
        **owner(broadcast.project),
        "createdAt": broadcast.created_at,
        "broadcastUrls": broadcast_urls(broadcast, base_url, now, is_new=is_new),
        "updatedAt": broadcast.updated_at,
        "status": broadcast.status,
        "streamMode": "manual" if broadcast.is_manual else "auto",
        "hasAudio": broadcast.has_audio,
        "hasVideo": broadcast.has_video,
        "maxDuration": broadcast.max_seconds,
        **({"multiBroadcastTag": broadcast.tag} if broadcast.tag else {}),
        **({"maxBitrate": broadcast.max_bitrate} if broadcast.max_bitrate else {}),
        "settings": settings,
        "event": "broadcast",
        "resolution": broadcast.resolution,
    }


def broadcast_urls(
    broadcast: Broadcast, base_url: str, now: int, *, is_new: bool
) -> dict[str, Any] | None:
    if broadcast.is_over:
        return None
    urls: dict[str, Any] = {}
    if broadcast.rtmp:
        status = "connecting" if is_new else broadcast.rtmp_status(now)
        urls["rtmp"] = [{"status": status, **target} for target in broadcast.rtmp]
    if broadcast.hls is not None:
        urls["hls"] = f"{base_url}{hls_path(broadcast)}"
        if not is_new:
            urls["hlsStatus"] = broadcast.hls_status(now)
    return urls


def hls_path(broadcast: Broadcast) -> str:
    return f"/tokbox.com.broadcast2/{broadcast.project.id}/{broadcast.id}/playlist.m3u8"


def captions_object(captions: Captions, now: int) -> dict[str, Any]:
    """inference: that callbacks have the same fields as the answer to a look."""
    end = captions.updated_at if captions.is_over else now
    return {
        "captionId": captions.id,
        **named_owner(captions.project),
        "sessionId": captions.session_id,
        "status": captions.status,
        "createdAt": captions.created_at,
        "updatedAt": captions.updated_at,
        "duration": (end - captions.created_at) // 1000,
        "languageCode": captions.language.lower(),
        "provider": "aws-transcribe",
        **({"reason": captions.reason} if captions.reason else {}),
    }


def render_object(render: Render) -> dict[str, Any]:
    return {
        "id": render.id,
        "sessionId": render.session_id,
        "createdAt": render.created_at,
        "updatedAt": render.updated_at,
        "url": render.url,
        "status": render.status,
        **({"name": render.name} if render.name else {}),
        "event": "render",
        **named_owner(render.project),
        "resolution": render.resolution,
        **({"streamId": render.stream_id} if render.stream_id else {}),
        **({"reason": render.reason} if render.reason else {}),
    }


def optional_fields(archive: Archive, transcript: str | None, *, is_new: bool) -> dict[str, Any]:
    """Fields that only some archives have. Inference: that they are left out otherwise."""
    options = archive.options
    fields: dict[str, Any] = {}
    if options.is_composed:
        fields["resolution"] = options.resolution
    if options.tag:
        fields["multiArchiveTag"] = options.tag
    if options.max_bitrate is not None:
        fields["maxBitrate"] = options.max_bitrate
    if options.quantization is not None:
        fields["quantizationParameter"] = options.quantization
    # Recorded: the answer of a start has none yet.
    if options.is_manual and archive.status == "started" and not is_new:
        streams = archive.streams.items()
        fields["streams"] = [{"streamId": stream_id, **use} for stream_id, use in streams]
    if options.transcription is not None:
        fields["transcription"] = transcription(archive, options.transcription, transcript)
    return fields


def transcription(archive: Archive, wanted: dict[str, Any], url: str | None) -> dict[str, Any]:
    # inference: how a transcription's status follows its archive's is not documented.
    states = {"available": "available", "uploaded": "uploaded", "failed": "failed"}
    status = states.get(archive.status, "requested")
    return {"status": status, "url": url, "reason": None, **wanted}
