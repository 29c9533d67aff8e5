"""Celery's settings, each with its reason where it is not the default."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from kombu.utils.url import parse_ssl_cert_reqs

if TYPE_CHECKING:
    from config.models import Settings


def celery_settings(settings: Settings, group: str | None) -> dict[str, Any]:
    """Everything Celery is told; `group` adds what one worker group has for itself."""
    url = settings.redis.url.get_secret_value()
    return {
        "broker_url": url,
        **_tls(url),
        "result_backend": url,
        "result_backend_transport_options": {"global_keyprefix": settings.redis.prefix},
        **_messages(),
        **_publishing(),
        **_crashes(),
        **_workers(settings, group),
        "broker_transport_options": _transport(settings, group),
        "beat_scheduler": "workers.beat:SlotScheduler",
        "beat_max_loop_interval": 1,  # it goes by the fleet's clock, which may be set
        "tocsin_group": group,
        "tocsin_reliable_fetch": group is not None,
        "tocsin_watchdog_seconds": settings.watchdog.deaf_after.total_seconds(),
    }


def _tls(url: str) -> dict[str, Any]:
    """The certificates once more: Celery and kombu read them from the address, Flower does not."""
    asked = {name: value for name, value in parse_qsl(urlsplit(url).query) if name.startswith("ssl_")}
    return {"broker_use_ssl": {**asked, "ssl_cert_reqs": parse_ssl_cert_reqs(asked["ssl_cert_reqs"])}} if asked else {}


def _messages() -> dict[str, Any]:
    return {
        "task_serializer": "json",
        "result_serializer": "json",
        "event_serializer": "json",
        "accept_content": ["json"],  # never pickle: whoever can write to the server must not run code
        "task_ignore_result": True,  # state lives in rows; results only for calls from a shell, which ask for them
        "task_store_errors_even_if_ignored": False,
        "result_expires": 86_400,
        "task_create_missing_queues": False,  # a typo in a route is an error, not a queue nobody reads
        "task_default_queue": "maintenance",
        "timezone": "UTC",
        "enable_utc": True,
        "task_send_sent_event": False,
        "task_repr_maxlevels": 1,  # argument reprs reach events and Flower: no payloads in them
        "worker_send_task_events": True,
    }


def _publishing() -> dict[str, Any]:
    return {
        "task_publish_retry_policy": {"max_retries": 3, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.5},
        "broker_pool_acquire_timeout": 2,  # fail fast instead of hanging a producer for ever
        "broker_connection_timeout": 3,
        "broker_connection_retry_on_startup": True,
        "broker_channel_error_retry": True,  # a full server refuses for a while; without it that ends the worker
        "broker_connection_max_retries": None,  # the default gives up after a hundred tries
    }


def _crashes() -> dict[str, Any]:
    return {
        "task_acks_late": True,
        "task_acks_on_failure": True,  # failures become dead letters; left unacked they would loop
        "task_acks_on_timeout": True,
        "task_retry_on_worker_lost": True,  # bounded, where reject_on_worker_lost loops for ever
        "task_reject_on_worker_lost": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # rows make a second run harmless
        "worker_consumer": "workers.consumer:ResilientConsumer",
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_soft_shutdown_timeout": 0,  # it sleeps its whole time even when all is done: see workers/shutdown.py
    }


def _workers(settings: Settings, group: str | None) -> dict[str, Any]:
    shared = {
        "worker_prefetch_multiplier": 1,
        "worker_eta_task_limit": None,  # nothing here uses ETA, and the limit would block a queue
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "worker_proc_alive_timeout": 30,
        "worker_max_tasks_per_child": 2000,
        "worker_max_memory_per_child": 300_000,
        "worker_lost_wait": 10,
    }
    if group is None:
        return shared
    own = getattr(settings.workers, group)
    limits: dict[str, Any] = {"task_time_limit": 900, "task_soft_time_limit": 870} if own.pool == "prefork" else {}
    own_limits = {**limits, "tocsin_shutdown_grace": own.shutdown_grace.total_seconds()}
    return {**shared, **own_limits, "worker_pool": own.pool, "worker_concurrency": own.concurrency}


def _transport(settings: Settings, group: str | None) -> dict[str, Any]:
    name = group or "shell"
    own = getattr(settings.workers, group) if group else settings.workers.alert
    return {
        "global_keyprefix": settings.redis.prefix,
        "client_name": f"tocsin-{name}",
        "visibility_timeout": own.visibility_timeout.total_seconds(),
        "unacked_restore_interval": 5,  # look for messages of dead workers every 5 s instead of every 100
        "unacked_restore_throttle": 1,
        "unacked_key": f"unacked:{name}",  # the shortest visibility time-out of all users of a key set wins: one set a group
        "unacked_index_key": f"unacked:{name}:index",
        "unacked_mutex_key": f"unacked:{name}:mutex",
        "unacked_mutex_expire": 30,
        "socket_timeout": settings.redis.socket_timeout.total_seconds(),
        "socket_connect_timeout": settings.redis.connect_timeout.total_seconds(),
        "socket_keepalive": True,
        "health_check_interval": 10,
        "priority_steps": [0],
    }
